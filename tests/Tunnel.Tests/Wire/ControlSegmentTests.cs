using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Wire;

public class ControlSegmentTests
{
    private const int TcpOffset = EthernetView.HeaderLength + IPv4View.MinHeaderLength;

    [Fact]
    public void ASynHasTheOptionsOfOne()
    {
        byte[] frame = Write(new ControlSegment(TcpFlags.Syn, 0x01020304, 0, 5, 6), Samples.IPv4);
        Assert.Equal(
            "01020304" + "00000000" + "a002" + "ffff", Convert.ToHexStringLower(frame.AsSpan(TcpOffset + 4, 12)));
        Assert.Equal("020405b4" + "0402" + "080a" + "00000005" + "00000006" + "01" + "03030c", Convert.ToHexStringLower(frame.AsSpan(TcpOffset + 20)));
        Assert.True(CraftedFlowTests.ChecksumsHold(frame));
    }

    [Fact]
    public void OthersHaveTimestampsAndOverIPv6ASynASmallerSegment()
    {
        byte[] fin = Write(new ControlSegment(TcpFlags.Fin | TcpFlags.Ack, 1, 2, 5, 6), Samples.IPv6);
        Assert.Equal("0101080a" + "00000005" + "00000006", Convert.ToHexStringLower(fin.AsSpan(fin.Length - 12)));
        Assert.True(CraftedFlowTests.ChecksumsHold(fin));
        byte[] syn = Write(new ControlSegment(TcpFlags.Syn, 1, 0, 5, 6), Samples.IPv6);
        Assert.Equal("020405a0", Convert.ToHexStringLower(syn.AsSpan(syn.Length - 20, 4)));
        Assert.True(CraftedFlowTests.ChecksumsHold(syn));
    }

    private static byte[] Write(ControlSegment segment, FlowAddresses addresses)
    {
        byte[] frame = new byte[ControlSegment.MaxLength];
        frame = frame[..segment.Write(frame, addresses, dscp: 0)];
        Assert.Equal(WireDrop.None, TcpSegment.TryParse(frame, out TcpSegment parsed));
        Assert.Equal(
            (segment.Flags, segment.Sequence, segment.Acknowledgment, segment.Timestamp, segment.Echo),
            (parsed.Flags, parsed.Sequence, parsed.Acknowledgment, parsed.TimestampValue, parsed.TimestampEcho));
        Assert.True(parsed.Payload.IsEmpty);
        return frame;
    }
}
