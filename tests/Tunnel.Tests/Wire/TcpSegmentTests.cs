using Tunnel.Protocol.Wire;
using Tunnel.Tests.Vectors;

namespace Tunnel.Tests.Wire;

public class TcpSegmentTests
{
    public static TheoryData<bool> Families => [true, false];

    [Theory]
    [MemberData(nameof(Families))]
    public void ReadsWhatTheCraftedFlowWrote(bool isIPv4)
    {
        FlowAddresses addresses = isIPv4 ? Samples.IPv4 : Samples.IPv6;
        byte[] frame = Samples.WithTags(Samples.Crafted(addresses, 77), (EtherTypes.CustomerTag, 9));

        Assert.Equal(WireDrop.None, TcpSegment.TryParse(frame, out TcpSegment segment));
        Assert.Equal(addresses.Source, segment.Source);
        Assert.Equal(addresses.Destination, segment.Destination);
        Assert.Equal(addresses.SourceMac, segment.SourceMac);
        Assert.Equal(TcpFlags.Default, segment.Flags);
        Assert.Equal((1128u, 2527u), (segment.Sequence, segment.Acknowledgment));
        Assert.Equal((true, 1000u, 949u), (segment.HasTimestamps, segment.TimestampValue, segment.TimestampEcho));
        Assert.Equal(Samples.Payload(77), segment.Payload.ToArray());
    }

    [Fact]
    public void ASegmentMayBePaddedAndEmpty()
    {
        byte[] frame = [.. Samples.Crafted(Samples.IPv4, 0), 0, 0, 0, 0];

        Assert.Equal(WireDrop.None, TcpSegment.TryParse(frame, out TcpSegment segment));
        Assert.True(segment.Payload.IsEmpty);
    }

    [Fact]
    public void OtherTrafficIsRefusedForWhatItIs()
    {
        byte[] arp = Samples.Crafted(Samples.IPv4, 10);
        arp[13] = 0x06;
        byte[] six = Samples.Crafted(Samples.IPv6, 10);
        six[20] = IPProtocols.Udp;

        Assert.Equal(WireDrop.NotIP, TcpSegment.TryParse(arp, out _));
        Assert.Equal(WireDrop.NotTcp, TcpSegment.TryParse(six, out _));
        foreach (PcapPacket packet in PcapFile.Read(Recordings.KcptunUdp))
            Assert.Equal(WireDrop.NotTcp, TcpSegment.TryParse(packet.Frame, out _));
    }

    [Fact]
    public void ReadsEveryCraftedSegmentOfThePeers()
    {
        foreach (PcapPacket packet in Recordings.Paqet.Append(Recordings.Guarded).SelectMany(PcapFile.Read))
        {
            Assert.Equal(WireDrop.None, TcpSegment.TryParse(packet.Frame, out TcpSegment segment));
            Assert.True(segment.Source.Port == 9999 || segment.Destination.Port == 9999);
            Assert.False(segment.Payload.IsEmpty);
            Assert.True(ChecksumsHold(packet.Frame));
        }
    }

    [Fact]
    public void ReadsSegmentsWhoseTimestampsAreMisshapen()
    {
        // kcptun's --tcp gives its timestamps option a length of 12; only the kernel's own segments of that flow have a real one.
        List<PcapPacket> packets = PcapFile.Read(Recordings.KcptunTcp);
        int misshapen = 0;
        foreach (PcapPacket packet in packets)
        {
            Assert.Equal(WireDrop.None, TcpSegment.TryParse(packet.Frame, out TcpSegment segment));
            misshapen += segment.HasTimestamps ? 0 : 1;
        }

        Assert.InRange(misshapen, 1, packets.Count - 3);
    }

    private static bool ChecksumsHold(byte[] frame) =>
        EthernetView.TryParse(frame, out EthernetView ethernet) == WireDrop.None
        && IPv4View.TryParse(ethernet.Payload, out IPv4View ip) == WireDrop.None
        && TcpView.TryParse(ip.Payload, out TcpView tcp) == WireDrop.None
        && ip.HasValidChecksum
        && tcp.HasValidChecksum(ip.Source, ip.Destination);
}
