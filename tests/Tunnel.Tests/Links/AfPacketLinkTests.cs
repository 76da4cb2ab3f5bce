using Tunnel.Links;
using Tunnel.Links.AfPacket;
using Tunnel.Protocol.Wire;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Links;

public sealed class AfPacketLinkTests
{
    [Fact]
    public void Interface_that_does_not_exist_is_a_network_fault_that_names_it()
    {
        TestHost.RequireRoot();
        var e = Assert.Throws<LinkException>(() => Open("tl-none", 9999));
        Assert.Equal(LinkFault.Network, e.Fault);
        Assert.Contains("tl-none", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Interface_that_is_down_is_a_network_fault_that_says_what_to_do()
    {
        TestHost.RequireRoot();
        using TestHost.VethPair veth = TestHost.NewVeth();
        TestHost.Run($"ip link set {veth.Left} down");
        var e = Assert.Throws<LinkException>(() => Open(veth.Left, 9999));
        Assert.Equal(LinkFault.Network, e.Fault);
        Assert.Contains($"ip link set {veth.Left} up", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Permission_fault_says_which_capability()
    {
        var options = new AfPacketOptions { Interface = "eth7", FirstPort = 1 };
        LinkException e = AfPacketSocket.Refused(options, "a packet socket", 1);
        Assert.Equal(LinkFault.Privilege, e.Fault);
        Assert.Contains("CAP_NET_RAW", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Loopback_delivers_each_frame_once()
    {
        TestHost.RequireRoot();
        using AfPacketLink link = Open("lo", 29881);
        byte[] frame = TestFrames.Tcp(29880, 29881, 600);
        frame.AsSpan(0, 12).Clear();
        Assert.Equal(1, link.Send(frame, frame.Length, default));
        var got = new FrameCollector();
        got.ReceiveAll(link, 1);
        link.Receive(got, 50);
        Assert.Equal(frame, Assert.Single(got.Frames));
        Assert.Equal(0, Assert.Single(got.SegmentLengths));
    }

    [Fact]
    public void Veth_carries_runs_and_filters_the_rest()
    {
        TestHost.RequireRoot();
        using TestHost.VethPair veth = TestHost.NewVeth();
        using AfPacketLink left = Open(veth.Left, 29870);
        using AfPacketLink right = Open(veth.Right, 29871, 29873);
        byte[] plain = TestFrames.Tcp(29870, 29871, 1000);
        byte[] inRange = TestFrames.Tcp(29870, 29873, 1000);
        byte[] tagged = TestFrames.Tcp(29870, 29872, 1000, vlan: 7);
        byte[] other = TestFrames.Tcp(29870, 29874, 1000);
        byte[] run = [.. other, .. plain, .. inRange, .. tagged, .. other, .. plain[..700]];

        Assert.Equal(6, left.Send(run, 1000, default));
        var got = new FrameCollector();
        got.ReceiveAll(right, 4);

        // The kernel keeps a tag beside the frame.
        byte[] stripped = [.. tagged[..12], .. tagged[16..]];
        Assert.Equal([plain, inRange, stripped, plain[..700]], got.Frames);
        Assert.Equal(new LinkCounters(4, 3696, 0, 0, 0, 0, 0), right.Counters);
        Assert.Equal(5700, left.Counters.BytesOut);
        Assert.Equal(0, left.Receive(got, 0));

        byte[] answer = TestFrames.Tcp(29871, 29870, 1000);
        Assert.Equal(1, right.Send(answer, answer.Length, default));
        got.ReceiveAll(left, 5);
        Assert.Equal(answer, got.Frames[^1]);
    }

    [Fact]
    public void Runs_longer_than_a_batch_arrive_in_order()
    {
        TestHost.RequireRoot();
        using TestHost.VethPair veth = TestHost.NewVeth();
        using AfPacketLink left = Open(veth.Left, 29870);
        using AfPacketLink right = Open(veth.Right, 29871);
        byte[][] frames = [.. Enumerable.Range(0, 200).Select(i => MergedFrames.Create(v6: false, 29870, 29871, 500, i))];
        Assert.Equal(200, left.Send(frames.SelectMany(f => f).ToArray(), frames[0].Length, default));
        var got = new FrameCollector();
        got.ReceiveAll(right, 200);
        Assert.Equal(frames, got.Frames);
    }

    [Fact]
    public void Group_shares_out_flows_and_keeps_each_together()
    {
        const int flows = 64, frames = 10;
        TestHost.RequireRoot();
        using TestHost.VethPair veth = TestHost.NewVeth();
        using AfPacketLink left = Open(veth.Left, 29870);
        IReadOnlyList<AfPacketLink> group = AfPacketLink.OpenGroup(
            new AfPacketOptions { Interface = veth.Right, FirstPort = 29871 }, 3, notice => Assert.Fail(notice));
        byte[][] sent = [.. Enumerable.Range(0, flows * frames).Select(i => MergedFrames.Create(v6: i % 2 == 0, 30000 + (i % flows), 29871, 500, i))];
        foreach (byte[] frame in sent)
            Assert.Equal(1, left.Send(frame, frame.Length, default));

        List<FrameCollector> got = [];
        foreach (AfPacketLink link in group)
        {
            got.Add(new FrameCollector());
            while (link.Receive(got[^1], 100) > 0)
            {
            }

            link.Dispose();
        }

        // Every frame once, every flow at one of them, and none without any: three to the power of minus 64 that this is chance.
        Assert.Equal(sent.Select(Convert.ToHexString).Order(), got.SelectMany(g => g.Frames).Select(Convert.ToHexString).Order());
        Assert.All(got, g => Assert.NotEmpty(g.Frames));
        Assert.Equal(flows, got.Sum(g => g.Frames.Select(SourcePort).Distinct().Count()));
    }

    [Fact]
    public void Too_long_a_frame_is_lost_alone()
    {
        TestHost.RequireRoot();
        using TestHost.VethPair veth = TestHost.NewVeth();
        using AfPacketLink left = Open(veth.Left, 29870);
        byte[] run = new byte[2000 + 1000];
        Assert.Equal(1, left.Send(run, 2000, default));
        Assert.Equal(new LinkCounters(0, 0, 1, 1000, 1, 0, 0), left.Counters);
    }

    [Theory]
    [InlineData(false, true, 40 * 1300)]
    [InlineData(true, true, 40 * 1300)]
    [InlineData(false, false, 40 * 1300)]
    [InlineData(true, false, 40 * 1300)]
    [InlineData(false, true, (39 * 1300) + 1)]
    [InlineData(false, false, (39 * 1300) + 1)]
    [InlineData(false, true, 700)]
    [InlineData(true, true, 65535 - 74)]
    public void Merged_frame_arrives_whole_or_cut_with_every_byte_in_order(bool v6, bool offloads, int payload)
    {
        TestHost.RequireRoot();
        using TestHost.VethPair veth = TestHost.NewVeth();
        if (!offloads)
            SwitchOffloadsOff(veth.Left);
        using AfPacketLink left = Open(veth.Left, 29870);
        using AfPacketLink right = Open(veth.Right, 29871);
        byte[] frame = MergedFrames.Create(v6, 29870, 29871, payload, 3);
        int segments = (payload + 1299) / 1300;

        Assert.True(left.SendMerged(frame, MergedFrames.HeaderLength(v6), 1300));
        var got = new FrameCollector();
        got.ReceiveAll(right, offloads ? 1 : segments);

        Assert.Equal(offloads ? 1 : segments, got.Frames.Count);
        Assert.All(got.SegmentLengths, s => Assert.Equal(offloads && segments > 1 ? 1300 : 0, s));
        AssertPayload(got.Frames, payload, checksums: !offloads);
        int wire = payload + (segments * MergedFrames.HeaderLength(v6));
        Assert.Equal(new LinkCounters(0, 0, segments, wire, 0, 0, 0), left.Counters);
        Assert.Equal(0, right.Counters.Truncated);
    }

    [Fact]
    public void Segments_of_a_merged_frame_may_be_merged_again()
    {
        TestHost.RequireRoot();
        Requires.Tool("ethtool");
        using TestHost.VethPair veth = TestHost.NewVeth();
        SwitchOffloadsOff(veth.Left);
        TestHost.Run($"ethtool -K {veth.Right} gro on");
        using AfPacketLink left = Open(veth.Left, 29870);
        using AfPacketLink right = Open(veth.Right, 29871);
        byte[] frame = MergedFrames.Create(v6: false, 29870, 29871, 40 * 1300, 3);
        Assert.True(left.SendMerged(frame, MergedFrames.HeaderLength(v6: false), 1300));
        var got = new FrameCollector();
        while (right.Counters.BytesIn - (got.Frames.Count * 54) < 40 * 1300)
            right.Receive(got, 1000);
        Assert.InRange(got.Frames.Count, 1, 10);
        AssertPayload(got.Frames, 40 * 1300, checksums: false);
    }

    [Fact]
    public void Refused_merged_frame_ends_merging_with_a_notice()
    {
        TestHost.RequireRoot();
        List<string> notices = [];
        using AfPacketLink link = AfPacketLink.Open(new AfPacketOptions { Interface = "lo", FirstPort = 29881 }, notices.Add);
        Assert.Equal(65535, link.MaxMergedLength);

        // The kernel refuses a TCP header that would begin behind the frame's end.
        byte[] frame = MergedFrames.Create(v6: false, 29880, 29881, 10, 0);
        frame[14] = 0x4F;
        byte[] cut = frame[..60];
        Assert.False(link.SendMerged(cut, 60, 1300));
        Assert.False(link.SendMerged(frame, 54, 1300));
        Assert.Equal(0, link.MaxMergedLength);
        Assert.Contains("lo", Assert.Single(notices), StringComparison.Ordinal);
        Assert.Equal(2, link.Counters.SendErrors);
    }

    [Theory]
    [InlineData(true, 65535)]
    [InlineData(false, 0)]
    public void Past_the_queue_the_device_must_cut(bool offloads, int longest)
    {
        TestHost.RequireRoot();
        using TestHost.VethPair veth = TestHost.NewVeth();
        if (!offloads)
            SwitchOffloadsOff(veth.Left);
        List<string> notices = [];
        var options = new AfPacketOptions { Interface = veth.Left, FirstPort = 29870, BypassQueue = true };
        using AfPacketLink left = AfPacketLink.Open(options, notices.Add);
        Assert.Equal(longest, left.MaxMergedLength);
        Assert.Equal(offloads ? 0 : 1, notices.Count);
        Assert.Equal(offloads, left.SendMerged(MergedFrames.Create(v6: false, 29870, 29871, 40 * 1300, 3), 54, 1300));
        byte[] frame = TestFrames.Tcp(29870, 29871, 1000);
        Assert.Equal(1, left.Send(frame, frame.Length, default));
    }

    [Fact]
    public void Wake_ends_the_next_receive()
    {
        TestHost.RequireRoot();
        using AfPacketLink link = Open("lo", 29881);
        link.Wake();
        Assert.Equal(0, link.Receive(new FrameCollector(), 60_000));
    }

    [Theory]
    [InlineData("down")]
    [InlineData("delete")]
    public void Interface_that_leaves_ends_the_link(string how)
    {
        TestHost.RequireRoot();
        using TestHost.VethPair veth = TestHost.NewVeth();
        using AfPacketLink link = Open(veth.Left, 29871);
        TestHost.Run(how == "down" ? $"ip link set {veth.Left} down" : $"ip link del {veth.Left}");
        var e = Assert.Throws<LinkException>(() => ReceiveForEver(link));
        Assert.Equal(LinkFault.Network, e.Fault);
        Assert.Contains(veth.Left, e.Message, StringComparison.Ordinal);
        byte[] frame = TestFrames.Tcp(1, 2, 600);
        Assert.Equal(0, link.Send(frame, 200, default));
        Assert.Equal(3, link.Counters.SendErrors);
        Assert.False(link.SendMerged(MergedFrames.Create(v6: false, 1, 2, 4000, 0), 54, 1000));
        Assert.Equal(7, link.Counters.SendErrors);
        Assert.NotEqual(0, link.MaxMergedLength);
    }

    [Fact]
    public void Closed_link_sends_nothing()
    {
        TestHost.RequireRoot();
        AfPacketLink link = Open("lo", 29881);
        link.Dispose();
        link.Dispose();
        Assert.Equal(0, link.Send(new byte[100], 100, default));
        Assert.False(link.SendMerged(MergedFrames.Create(v6: false, 1, 2, 4000, 0), 54, 1000));
        Assert.Throws<ObjectDisposedException>(() => link.Receive(new FrameCollector(), 0));
    }

    [Fact]
    public void Receiving_and_sending_do_not_allocate()
    {
        TestHost.RequireRoot();
        using TestHost.VethPair veth = TestHost.NewVeth();
        using AfPacketLink left = Open(veth.Left, 29870);
        using AfPacketLink right = Open(veth.Right, 29871);
        byte[] frame = TestFrames.Tcp(29870, 29871, 1000);
        byte[] run = [.. Enumerable.Repeat(frame, 16).SelectMany(f => f)];
        byte[] merged = MergedFrames.Create(v6: false, 29870, 29871, 40 * 1300, 3);
        var sink = new CountingSink();
        int sent = 0;
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int round = 0; round < 50; round++, sent += 17)
            {
                left.Send(run, frame.Length, default);
                left.SendMerged(merged, 54, 1300);
                while (sink.Frames < sent + 17)
                    right.Receive(sink, 1000);
            }
        }));
    }

    [Fact]
    public void Frames_that_do_not_fit_the_buffer_are_counted_as_dropped_by_the_kernel()
    {
        TestHost.RequireRoot();
        using TestHost.VethPair veth = TestHost.NewVeth();
        using AfPacketLink left = Open(veth.Left, 29870);
        using AfPacketLink right = AfPacketLink.Open(
            new AfPacketOptions { Interface = veth.Right, FirstPort = 29871, ReceiveBufferBytes = 64 << 10 });
        byte[] frame = TestFrames.Tcp(29870, 29871, 1000);
        byte[] run = [.. Enumerable.Repeat(frame, 200).SelectMany(f => f)];
        Assert.Equal(200, left.Send(run, frame.Length, default));
        var sink = new CountingSink();
        while (sink.Frames + right.Counters.KernelDrops < 200)
            right.Receive(sink, 100);
        Assert.Equal(200, sink.Frames + right.Counters.KernelDrops);
        Assert.InRange(sink.Frames, 1, 199);
    }

    private static void SwitchOffloadsOff(string name)
    {
        Requires.Tool("ethtool");
        TestHost.Run($"ethtool -K {name} tso off gso off tx off");
    }

    private static void AssertPayload(List<byte[]> frames, int length, bool checksums)
    {
        int place = 0;
        foreach (byte[] frame in frames)
        {
            Assert.Equal(WireDrop.None, TcpSegment.TryParse(frame, out TcpSegment segment));
            Assert.Equal(unchecked(MergedFrames.FirstSequence + (uint)place), segment.Sequence);
            foreach (byte b in segment.Payload)
            {
                if (MergedFrames.At(place, 3) != b)
                    Assert.Fail($"wrong byte at {place}");
                place++;
            }

            if (checksums)
                Assert.Equal(0, TcpChecksum(frame));
        }

        Assert.Equal(length, place);
    }

    private static int TcpChecksum(ReadOnlySpan<byte> frame)
    {
        bool v6 = frame[12] == 0x86;
        ReadOnlySpan<byte> tcp = frame[(v6 ? 54 : 34)..];
        ReadOnlySpan<byte> addresses = v6 ? frame[22..54] : frame[26..34];
        int half = addresses.Length / 2;
        uint pseudo = InternetChecksum.PseudoHeader(addresses[..half], addresses[half..], IPProtocols.Tcp, tcp.Length);
        return InternetChecksum.Fold(InternetChecksum.Sum(tcp, pseudo));
    }

    private static void ReceiveForEver(AfPacketLink link)
    {
        var sink = new FrameCollector();
        for (int i = 0; i < 100; i++)
            link.Receive(sink, 100);
    }

    private static AfPacketLink Open(string name, int first, int last = 0) =>
        AfPacketLink.Open(new AfPacketOptions { Interface = name, FirstPort = first, LastPort = last });

    private static int SourcePort(byte[] frame)
    {
        int tcp = frame[12] == 0x86 ? 14 + 40 : 14 + 20;
        return (frame[tcp] << 8) | frame[tcp + 1];
    }

    private sealed class CountingSink : IFrameSink
    {
        public int Frames { get; private set; }

        public void OnFrame(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, int segmentLength) => Frames++;

        public void OnBatchEnd()
        {
        }
    }
}
