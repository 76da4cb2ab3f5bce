using System.Buffers.Binary;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Wire;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Wire;

public class CraftedFlowTests
{
    [Theory]
    [InlineData("PA", 66, 86)]
    [InlineData("S", 74, 94)]
    [InlineData("SA", 74, 94)]
    public void TheHeaderIsAsLongAsItSays(string names, int ipv4, int ipv6)
    {
        Assert.True(TcpFlagNames.TryParse(names, out ushort flags));
        foreach ((FlowAddresses addresses, int length) in new[] { (Samples.IPv4, ipv4), (Samples.IPv6, ipv6) })
        {
            CraftedFlow flow = new(addresses, dscp: 0, new CraftCounter(0));
            Assert.Equal(length, flow.HeaderLength(flags));
            Assert.Equal(length, flow.Write(new byte[length], flags));
            Assert.True(length <= CraftedFlow.MaxHeaderLength);
        }
    }

    [Fact]
    public void AnIPv6FrameByteByByte()
    {
        byte[] frame = Samples.Crafted(Samples.IPv6, 1);

        Assert.Equal(
            "020000000002" + "020000000001" + "86dd"
            + "6b800000" + "0021" + "06" + "40" + "fd000000000000000000000000000001" + "fd000000000000000000000000000002"
            + "9c41" + "270f" + "00000468" + "000009df" + "8018" + "ffff",
            Convert.ToHexStringLower(frame.AsSpan(0, 70)));
        Assert.Equal("0000" + "0101080a" + "000003e8" + "000003b5" + "03", Convert.ToHexStringLower(frame.AsSpan(72)));
        Assert.True(ChecksumsHold(frame));
    }

    [Theory]
    [InlineData("S", 0u)]
    [InlineData("SA", 5u)]
    [InlineData("SPN", 0u)]
    public void ASynHasItsOwnNumbersAndOptions(string names, uint acknowledgment)
    {
        Assert.True(TcpFlagNames.TryParse(names, out ushort flags));
        CraftedFlow flow = new(Samples.IPv4, dscp: 0, new CraftCounter(0x12345678, count: 8 * 16 + 2));
        byte[] frame = new byte[flow.HeaderLength(flags) + 3];
        flow.Write(frame, flags);

        Assert.Equal(WireDrop.None, TcpSegment.TryParse(frame, out TcpSegment segment));
        Assert.Equal(flags, segment.Flags);
        Assert.Equal((4u, acknowledgment), (segment.Sequence, segment.Acknowledgment));
        Assert.Equal("020405b40402080a1234568800000000" + "01030308", Convert.ToHexStringLower(frame.AsSpan(54, 20)));
        Assert.True(ChecksumsHold(frame));
    }

    [Fact]
    public void NumbersFollowTheCountAcrossEveryWrap() => Seeded.Repeat(500, static (ref Prng prng) =>
    {
        uint start = prng.NextUInt32();
        uint before = prng.Chance(0.2) ? uint.MaxValue - (uint)prng.Next(3) : prng.NextUInt32();
        CraftCounter counter = new(start, before);
        CraftedFlow flow = new(Samples.IPv4, dscp: 46, counter);
        byte[] frame = new byte[66];
        flow.Write(frame, TcpFlags.Default);
        uint c = unchecked(before + 1);

        Assert.Equal(WireDrop.None, TcpSegment.TryParse(frame, out TcpSegment segment));
        Assert.Equal(unchecked(start + c * 128), segment.Sequence);
        Assert.Equal(unchecked(segment.Sequence - c % 1024 + 1400), segment.Acknowledgment);
        Assert.Equal(unchecked(start + c / 8), segment.TimestampValue);
        Assert.Equal(unchecked(segment.TimestampValue - (c % 200 + 50)), segment.TimestampEcho);
    });

    [Fact]
    public void ChecksumsHoldForAnyPayload() => Seeded.Repeat(300, static (ref Prng prng) =>
    {
        FlowAddresses addresses = prng.Chance(0.5) ? Samples.IPv4 : Samples.IPv6;
        CraftedFlow flow = new(addresses, prng.Next(64), new CraftCounter(prng.NextUInt32(), prng.NextUInt32()));
        ushort flags = (ushort)prng.Next(TcpFlags.All + 1);
        byte[] frame = prng.NextBytes(flow.HeaderLength(flags) + prng.Next(3000));
        byte[] payload = frame[flow.HeaderLength(flags)..];
        flow.Write(frame, flags);

        Assert.Equal(WireDrop.None, TcpSegment.TryParse(frame, out TcpSegment segment));
        Assert.Equal(flags, segment.Flags);
        Assert.Equal(payload, segment.Payload.ToArray());
        Assert.True(ChecksumsHold(frame));
    });

    [Fact]
    public void FlowsOfOneHandleShareItsCount()
    {
        CraftCounter counter = new(0);
        CraftedFlow one = new(Samples.IPv4, 0, counter);
        CraftedFlow other = new(Samples.IPv6, 0, counter);
        byte[] frame = new byte[86];

        one.Write(frame, TcpFlags.Default);
        other.Write(frame, TcpFlags.Default);

        Assert.Equal(256u, BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(58)));
    }

    [Theory]
    [InlineData(65535, 65575)]
    public void TheLongestPacketFits(int ipv4, int ipv6)
    {
        CraftedFlow four = new(Samples.IPv4, 0, new CraftCounter(0));
        CraftedFlow six = new(Samples.IPv6, 0, new CraftCounter(0));

        Assert.Equal(66, four.Write(new byte[14 + ipv4], TcpFlags.Default));
        Assert.Equal(86, six.Write(new byte[14 + ipv6], TcpFlags.Default));
        Assert.Throws<ArgumentException>(() => four.Write(new byte[15 + ipv4], TcpFlags.Default));
        Assert.Throws<ArgumentException>(() => six.Write(new byte[15 + ipv6], TcpFlags.Default));
        Assert.Throws<ArgumentException>(() => four.Write(new byte[65], TcpFlags.Default));
    }

    [Fact]
    public void FamiliesDoNotMix() =>
        Assert.Throws<ArgumentException>(() =>
            new CraftedFlow(Samples.IPv4 with { Destination = Samples.IPv6.Destination }, 0, new CraftCounter(0)));

    [Fact]
    public void WritingAndReadingDoNotAllocate()
    {
        CraftedFlow flow = new(Samples.IPv4, 46, new CraftCounter(1));
        FlagCycle cycle = new([TcpFlags.Default, TcpFlags.Ack]);
        byte[] frame = new byte[1400];
        Roundtrip(flow, cycle, frame);

        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int i = 0; i < 1000; i++)
                Roundtrip(flow, cycle, frame);
        }));
    }

    private static void Roundtrip(CraftedFlow flow, FlagCycle cycle, byte[] frame)
    {
        flow.Write(frame, cycle.Next());
        if (TcpSegment.TryParse(frame, out _) != WireDrop.None)
            throw new InvalidOperationException("the frame was refused");
    }

    internal static bool ChecksumsHold(byte[] frame)
    {
        EthernetView.TryParse(frame, out EthernetView ethernet);
        if (ethernet.EtherType == EtherTypes.IPv6)
        {
            return IPv6View.TryParse(ethernet.Payload, out IPv6View six) == WireDrop.None
                && TcpView.TryParse(six.Payload, out TcpView tcp6) == WireDrop.None
                && tcp6.HasValidChecksum(six.Source, six.Destination);
        }

        return IPv4View.TryParse(ethernet.Payload, out IPv4View four) == WireDrop.None
            && TcpView.TryParse(four.Payload, out TcpView tcp4) == WireDrop.None
            && four.HasValidChecksum
            && tcp4.HasValidChecksum(four.Source, four.Destination);
    }
}
