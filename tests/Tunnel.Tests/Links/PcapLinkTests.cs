using Tunnel.Links;
using Tunnel.Links.Pcap;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Links;

public sealed class PcapLinkTests
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
    public void Missing_library_names_the_package()
    {
        LinkException e = LibPcap.Missing(["libpcap.so.1"]);
        Assert.Equal(LinkFault.MissingDependency, e.Fault);
        Assert.Contains("libpcap0.8", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Permission_fault_says_which_capability()
    {
        LinkException e = PcapErrors.Activation("eth7", LibPcap.PermissionDenied, "socket: Operation not permitted");
        Assert.Equal(LinkFault.Privilege, e.Fault);
        Assert.Contains("CAP_NET_RAW", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(9999, 0, "(tcp and dst port 9999) or (vlan and tcp and dst port 9999)")]
    [InlineData(9000, 9003, "(tcp and dst portrange 9000-9003) or (vlan and tcp and dst portrange 9000-9003)")]
    public void Filter_text(int first, int last, string expected) =>
        Assert.Equal(expected, new PcapOptions { Interface = "x", FirstPort = first, LastPort = last }.Filter);

    [Fact]
    public void Loopback_delivers_each_frame_once()
    {
        TestHost.RequireRoot();
        using PcapLink link = Open("lo", 29871);
        byte[] frame = TestFrames.Tcp(29870, 29871, 600);
        frame.AsSpan(0, 12).Clear();
        Assert.Equal(1, link.Send(frame, frame.Length, default));
        var got = new FrameCollector();
        got.ReceiveAll(link, 1);
        link.Receive(got, 50);
        Assert.Equal(frame, Assert.Single(got.Frames));
    }

    [Fact]
    public void Veth_carries_runs_both_plain_and_tagged_and_filters_the_rest()
    {
        TestHost.RequireRoot();
        using TestHost.VethPair veth = TestHost.NewVeth();
        using PcapLink left = Open(veth.Left, 29870);
        using PcapLink right = Open(veth.Right, 29871, 29873);
        byte[] plain = TestFrames.Tcp(29870, 29871, 1000);
        byte[] inRange = TestFrames.Tcp(29870, 29873, 1000);
        byte[] tagged = TestFrames.Tcp(29870, 29872, 1000, vlan: 7);
        byte[] other = TestFrames.Tcp(29870, 29874, 1000);
        byte[] run = [.. other, .. plain, .. inRange, .. tagged, .. other, .. plain[..700]];

        Assert.Equal(6, left.Send(run, 1000, default));
        var got = new FrameCollector();
        got.ReceiveAll(right, 4);

        Assert.Equal([plain, inRange, tagged, plain[..700]], got.Frames);
        Assert.Equal(new LinkCounters(4, 3700, 0, 0, 0, 0, 0), right.Counters);
        Assert.Equal(5700, left.Counters.BytesOut);
        Assert.Equal(0, left.Receive(got, 0));
    }

    [Fact]
    public void Longer_frames_than_the_automatic_length_widen_the_capture()
    {
        TestHost.RequireRoot();
        using TestHost.VethPair veth = TestHost.NewVeth();
        using PcapLink right = PcapLink.Open(new PcapOptions { Interface = veth.Right, FirstPort = 29871 });
        Assert.Equal(2048, right.SnapLength);
        TestHost.Run($"ip link set {veth.Left} mtu 9000");
        TestHost.Run($"ip link set {veth.Right} mtu 9000");
        using PcapLink left = Open(veth.Left, 29870);
        byte[] big = TestFrames.Tcp(29870, 29871, 5000);

        left.Send(big, big.Length, default);
        var got = new FrameCollector();
        while (right.Counters.Truncated == 0)
            right.Receive(got, 100);
        left.Send(big, big.Length, default);
        got.ReceiveAll(right, 1);

        Assert.Equal(65535, right.SnapLength);
        Assert.Equal(big, Assert.Single(got.Frames));
        Assert.Equal(1, right.Counters.Truncated);
    }

    [Fact]
    public void Wake_ends_the_next_receive()
    {
        TestHost.RequireRoot();
        using PcapLink link = Open("lo", 29871);
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
        using PcapLink link = Open(veth.Left, 29871);
        TestHost.Run(how == "down" ? $"ip link set {veth.Left} down" : $"ip link del {veth.Left}");
        var e = Assert.Throws<LinkException>(() => ReceiveForEver(link));
        Assert.Equal(LinkFault.Network, e.Fault);
        Assert.Contains(veth.Left, e.Message, StringComparison.Ordinal);
        byte[] frame = TestFrames.Tcp(1, 2, 600);
        Assert.Equal(0, link.Send(frame, 200, default));
        Assert.Equal(3, link.Counters.SendErrors);
    }

    [Fact]
    public void Exception_of_the_sink_arrives_at_the_caller()
    {
        TestHost.RequireRoot();
        using PcapLink link = Open("lo", 29871);
        byte[] frame = TestFrames.Tcp(29870, 29871, 600);
        link.Send(frame, frame.Length, default);
        Assert.Throws<InvalidOperationException>(() => ReceiveForEver(link, new ThrowingSink()));
    }

    [Fact]
    public void Receiving_and_sending_do_not_allocate()
    {
        TestHost.RequireRoot();
        using TestHost.VethPair veth = TestHost.NewVeth();
        using PcapLink left = Open(veth.Left, 29870);
        using PcapLink right = Open(veth.Right, 29871);
        byte[] frame = TestFrames.Tcp(29870, 29871, 1000);
        byte[] run = [.. Enumerable.Repeat(frame, 16).SelectMany(f => f)];
        var sink = new CountingSink();
        int sent = 0;
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int round = 0; round < 50; round++)
            {
                sent += left.Send(run, frame.Length, default);
                while (sink.Frames < sent)
                    right.Receive(sink, 1000);
            }
        }));
        Assert.Equal(0, sent % (50 * 16));
    }

    [Fact]
    public void Frames_that_do_not_fit_the_ring_are_counted_as_dropped_by_the_kernel()
    {
        TestHost.RequireRoot();
        using TestHost.VethPair veth = TestHost.NewVeth();
        using PcapLink left = Open(veth.Left, 29870);
        using PcapLink right = PcapLink.Open(
            new PcapOptions { Interface = veth.Right, FirstPort = 29871, SnapLength = 65535, BufferBytes = 1 << 20 });
        byte[] frame = TestFrames.Tcp(29870, 29871, 1000);
        byte[] run = [.. Enumerable.Repeat(frame, 200).SelectMany(f => f)];
        Assert.Equal(200, left.Send(run, frame.Length, default));
        var sink = new CountingSink();
        while (sink.Frames + right.Counters.KernelDrops < 200)
            right.Receive(sink, 100);
        Assert.Equal(200, sink.Frames + right.Counters.KernelDrops);
        Assert.InRange(sink.Frames, 1, 199);
    }

    private static void ReceiveForEver(PcapLink link, IFrameSink? sink = null)
    {
        sink ??= new FrameCollector();
        for (int i = 0; i < 100; i++)
            link.Receive(sink, 100);
    }

    private static PcapLink Open(string name, int first, int last = 0) =>
        PcapLink.Open(new PcapOptions { Interface = name, FirstPort = first, LastPort = last, SnapLength = 65535 });

    private sealed class CountingSink : IFrameSink
    {
        public int Frames { get; private set; }

        public void OnFrame(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, int segmentLength) => Frames++;

        public void OnBatchEnd()
        {
        }
    }

    private sealed class ThrowingSink : IFrameSink
    {
        public void OnFrame(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, int segmentLength) => throw new InvalidOperationException();

        public void OnBatchEnd()
        {
        }
    }
}
