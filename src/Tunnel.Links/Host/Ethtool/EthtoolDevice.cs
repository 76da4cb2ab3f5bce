using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Tunnel.Links.Native;
using static Tunnel.Links.Host.Ethtool.EthtoolNumbers;

namespace Tunnel.Links.Host.Ethtool;

/// <summary>What the program ethtool tells and sets about one interface, asked of its driver directly. Nothing is kept between calls.</summary>
public sealed class EthtoolDevice(string name) : INicDevice
{
    private const int Words = 9;
    private const int CoalesceWords = 23;
    private const int MostStatistics = 1 << 16;

    public NicAnswer<NicRings> Rings()
    {
        (uint[]? w, int error) = AskWords(ETHTOOL_GRINGPARAM, Words);
        return w is null ? Refused<NicRings>(error) : new(new NicRings(w[5], w[8], w[1], w[4]), null);
    }

    public NicAnswer<NicChannels> Channels()
    {
        (uint[]? w, int error) = AskWords(ETHTOOL_GCHANNELS, Words);
        return w is null ? Refused<NicChannels>(error) : new(new NicChannels(w[5], w[6], w[8], w[1], w[2], w[4]), null);
    }

    public NicAnswer<NicCoalescing> Coalescing()
    {
        (NicCoalescing? told, int error) = CoalescingQuery.Ask(name);
        if (error != Linux.ENOENT)
            return told is null ? Refused<NicCoalescing>(error) : new(told, null);
        // An older kernel: what the driver has not is 0 there.
        (uint[]? w, error) = AskWords(ETHTOOL_GCOALESCE, CoalesceWords);
        return w is null ? Refused<NicCoalescing>(error) : new(new NicCoalescing(w[10] != 0, w[1], w[2]), null);
    }

    public NicAnswer<NicDriver> Driver()
    {
        var block = new byte[DriverBlock.Length];
        int error = Ask(ETHTOOL_GDRVINFO, block);
        return error != 0
            ? Refused<NicDriver>(error)
            : new(new NicDriver(DriverBlock.Name(block), DriverBlock.Version(block), DriverBlock.Bus(block)), null);
    }

    public NicOffloads Offloads() => new(
        Flag(Linux.ETHTOOL_GGRO), LargeReceive(), Flag(Linux.ETHTOOL_GTSO), Flag(ETHTOOL_GGSO));

    public NicAnswer<IReadOnlyList<NicStatistic>> Statistics()
    {
        var driver = new byte[DriverBlock.Length];
        int error = Ask(ETHTOOL_GDRVINFO, driver);
        if (error != 0)
            return Refused<IReadOnlyList<NicStatistic>>(error);
        int count = (int)Math.Min(DriverBlock.Statistics(driver), MostStatistics);
        // The kernel writes as many as there are by then, and looks at no length of ours: room for some more than it said.
        byte[] names = new byte[12 + (2 * count + 256) * ETH_GSTRING_LEN], values = new byte[8 + (2 * count + 256) * sizeof(ulong)];
        BinaryPrimitives.WriteUInt32LittleEndian(names.AsSpan(4), ETH_SS_STATS);
        BinaryPrimitives.WriteUInt32LittleEndian(names.AsSpan(8), (uint)count);
        BinaryPrimitives.WriteUInt32LittleEndian(values.AsSpan(4), (uint)count);
        error = count == 0 ? Linux.EOPNOTSUPP : Ask(ETHTOOL_GSTRINGS, names);
        if (error == 0)
            error = Ask(ETHTOOL_GSTATS, values);
        return error != 0 ? Refused<IReadOnlyList<NicStatistic>>(error) : new(Pair(names, values, count), null);
    }

    public NicAnswer<IReadOnlyList<int>> Spread()
    {
        (uint[]? head, int error) = AskWords(ETHTOOL_GRXFHINDIR, 2);
        if (head is null || head[1] is 0 or > 65536)
            return Refused<IReadOnlyList<int>>(error != 0 ? error : Linux.EOPNOTSUPP);
        var block = new byte[(2 + head[1]) * sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(4), head[1]);
        error = Ask(ETHTOOL_GRXFHINDIR, block);
        return error != 0 ? Refused<IReadOnlyList<int>>(error) : new(Slots(MemoryMarshal.Cast<byte, uint>(block)[2..]), null);
    }

    public string? SetRings(uint rx, uint tx) => Change(ETHTOOL_GRINGPARAM, ETHTOOL_SRINGPARAM, Words, w => (w[5], w[8]) = (rx, tx));

    public string? SetCoalescing(NicCoalescing wanted) => Change(
        ETHTOOL_GCOALESCE,
        ETHTOOL_SCOALESCE,
        CoalesceWords,
        w => (w[10], w[1], w[2]) = (wanted.AdaptiveRx is { } adaptive ? adaptive ? 1u : 0u : w[10], wanted.RxUsecs ?? w[1], wanted.RxFrames ?? w[2]));

    private string? Change(uint get, uint set, int count, Action<uint[]> change)
    {
        (uint[]? words, int error) = AskWords(get, count);
        if (words is null)
            return Libc.Describe(error);
        change(words);
        Span<byte> block = MemoryMarshal.AsBytes(words.AsSpan());
        error = Ask(set, block);
        string told = Libc.Describe(error);
        // The one is the caller's matter, the others the card's.
        return error == 0 ? null : error == Linux.EPERM ? told : $"the driver refuses it: {told}";
    }

    private bool? Flag(uint command) => AskWords(command, 2).Words is { } words ? words[1] != 0 : null;

    private bool? LargeReceive() =>
        AskWords(Linux.ETHTOOL_GFLAGS, 2).Words is { } words ? (words[1] & Linux.ETH_FLAG_LRO) != 0 : null;

    private (uint[]? Words, int Error) AskWords(uint command, int count)
    {
        var words = new uint[count];
        int error = Ask(command, MemoryMarshal.AsBytes(words.AsSpan()));
        return error == 0 ? (words, 0) : (null, error);
    }

    private int Ask(uint command, Span<byte> block)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(block, command);
        return EthtoolSocket.Ask(name, block);
    }

    private static NicAnswer<T> Refused<T>(int error)
        where T : class => new(null, Libc.Describe(error));

    private static NicStatistic[] Pair(byte[] names, byte[] values, int count)
    {
        var statistics = new NicStatistic[count];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> text = names.AsSpan(12 + i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
            ulong value = BinaryPrimitives.ReadUInt64LittleEndian(values.AsSpan(8 + i * sizeof(ulong)));
            statistics[i] = new NicStatistic(DriverBlock.Text(text).Trim(), value);
        }

        return statistics;
    }

    internal static List<int> Slots(ReadOnlySpan<uint> table)
    {
        var slots = new List<int>();
        foreach (uint queue in table)
        {
            // No card has thousands of queues: such a number is not one.
            if (queue >= 4096)
                continue;
            while (slots.Count <= queue)
                slots.Add(0);
            slots[(int)queue]++;
        }

        return slots;
    }

    /// <summary>struct ethtool_drvinfo.</summary>
    private static class DriverBlock
    {
        internal const int Length = 196;
        private const int TextLength = 32;

        internal static string Name(ReadOnlySpan<byte> block) => Text(block.Slice(4, TextLength));

        internal static string Version(ReadOnlySpan<byte> block) => Text(block.Slice(36, TextLength));

        internal static string Bus(ReadOnlySpan<byte> block) => Text(block.Slice(100, TextLength));

        internal static uint Statistics(ReadOnlySpan<byte> block) => BinaryPrimitives.ReadUInt32LittleEndian(block[180..]);

        internal static string Text(ReadOnlySpan<byte> bytes)
        {
            int end = bytes.IndexOf((byte)0);
            return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
        }
    }
}
