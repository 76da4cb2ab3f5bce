using Tunnel.Protocol.Wire;
using Tunnel.Tests.Vectors;

namespace Tunnel.Tests.Wire;

/// <summary>What the crafted flow writes is, byte for byte, what the real peers were recorded to send.</summary>
public class RecordedFlowTests
{
    // The recordings begin with a handle's first segment.
    private const uint FirstCount = 1;

    public static TheoryData<string, int> Flows => [.. Recordings.Paqet.Select(name => (name, 46)), (Recordings.Guarded, 0)];

    [Theory]
    [MemberData(nameof(Flows))]
    public void EveryFrameOfBothDirectionsIsReproduced(string recording, int dscp)
    {
        Dictionary<Endpoint, CraftedFlow> flows = [];
        foreach (PcapPacket packet in PcapFile.Read(recording))
        {
            Assert.Equal(WireDrop.None, TcpSegment.TryParse(packet.Frame, out TcpSegment segment));
            if (!flows.TryGetValue(segment.Source, out CraftedFlow? flow))
                flows[segment.Source] = flow = FlowOf(packet.Frame, dscp);

            byte[] crafted = [.. new byte[flow.HeaderLength(segment.Flags)], .. segment.Payload];
            flow.Write(crafted, segment.Flags);
            Assert.Equal(FramePrinter.Print(packet.Frame), FramePrinter.Print(crafted));
            Assert.Equal(Convert.ToHexString(packet.Frame), Convert.ToHexString(crafted));
        }

        Assert.Equal(2, flows.Count);
    }

    private static CraftedFlow FlowOf(byte[] firstFrame, int dscp)
    {
        TcpSegment.TryParse(firstFrame, out TcpSegment first);
        EthernetView.TryParse(firstFrame, out EthernetView ethernet);
        uint start = first.Sequence - (FirstCount << 7);
        FlowAddresses addresses = new(ethernet.Source, ethernet.Destination, first.Source, first.Destination);
        return new(addresses, dscp, new CraftCounter(start, FirstCount - 1));
    }
}
