using Tunnel.Ctl.Check.Knobs;
using Tunnel.Ctl.Check.Proc;

namespace Tunnel.Ctl.Check.Topics;

/// <summary>What sockets may hold, what those of TCP hold together, and what datagrams found no room.</summary>
internal sealed class BuffersTopic() : KnobTopic("buffers", "Socket buffers", SysctlKnobs.Buffers)
{
    private const string TcpMemory = "tcp.memory";
    private const string UdpDrops = "udp.drops";
    private const string WhyTcpMemory = "from tcp_mem's second number on the kernel shrinks every TCP socket's window";
    private const string WhyUdpDrops = "datagrams that found a socket's buffer full: the udp link's, or a target's";

    public override IReadOnlyList<string> Names => [.. base.Names, TcpMemory, UdpDrops];

    protected override IEnumerable<Finding> Look(CheckContext context) => [.. base.Look(context), LookAtTcpMemory(context), LookAtUdpDrops(context)];

    private static Finding LookAtTcpMemory(CheckContext context)
    {
        if (PagesInUse(context) is not { } pages)
            return Finding.Unknown(TcpMemory, context.Files.Read("/proc/net/sockstat").Problem ?? "/proc/net/sockstat has no such line", WhyTcpMemory);
        long pressed = context.After.Network.GetValueOrDefault("TcpExt.TCPMemoryPressures");
        long grown = pressed - context.Before.Network.GetValueOrDefault("TcpExt.TCPMemoryPressures", pressed);
        // A namespace does not see the limits: they are the host's.
        bool hasLimits = SysctlKnobs.Buffers[^1].Read(context).TryNumbers(3, out long[] limits, out _);
        string of = hasLimits ? $" of {limits[1]}" : "";
        string now = $"{pages} pages{of} ({ByteSize.Format(pages * Environment.SystemPageSize)}); times under pressure: {pressed} since boot, {grown} in the last second";
        return Finding.Of(
            TcpMemory, grown == 0 && (!hasLimits || pages < limits[1]), now, "under the second number of tcp_mem", WhyTcpMemory, "cat /proc/net/sockstat; ss -tmn");
    }

    /// <summary>"TCP: inuse 5 orphan 0 tw 0 alloc 7 mem 1": the last is in pages.</summary>
    private static long? PagesInUse(CheckContext context)
    {
        string[] words = context.Files.Read("/proc/net/sockstat").Text?.Split('\n')
            .FirstOrDefault(l => l.StartsWith("TCP:", StringComparison.Ordinal))?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        int label = Array.IndexOf(words, "mem");
        // No machine has more; beyond, the bytes would not fit a number.
        return label >= 0 && label + 1 < words.Length && long.TryParse(words[label + 1], out long pages) && pages is >= 0 and < 1L << 48 ? pages : null;
    }

    /// <summary>Not met when they grew during the check, or are more than one in ten thousand datagrams since boot.</summary>
    private static Finding LookAtUdpDrops(CheckContext context)
    {
        IReadOnlyDictionary<string, long> after = context.After.Network, before = context.Before.Network;
        if (!after.TryGetValue("Udp.RcvbufErrors", out long full) || !after.TryGetValue("Udp.InDatagrams", out long came))
            return Finding.Unknown(UdpDrops, context.Files.Read("/proc/net/snmp").Problem ?? "/proc/net/snmp has no such counters", WhyUdpDrops);
        long grown = full - before.GetValueOrDefault("Udp.RcvbufErrors", full);
        string now = full == 0 ? "0" : $"{full} since boot of {came} taken, {grown} in the last second";
        return Finding.Of(UdpDrops, grown <= 0 && full <= came / 10_000, now, "not growing, and under one in 10000 of those taken", WhyUdpDrops, "ss -uanm");
    }
}
