using System.Net;
using System.Net.Sockets;
using Tunnel.Links;
using Tunnel.Links.Native;
using Tunnel.Links.Udp;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Links;

public sealed class UdpLinkTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void Run_arrives_as_its_datagrams_and_the_answer_finds_its_way(string text)
    {
        var address = IPAddress.Parse(text);
        SkipWithout(address.AddressFamily);
        using UdpLink a = UdpLink.Open(new UdpOptions { Address = address });
        using UdpLink b = UdpLink.Open(new UdpOptions { Address = address });
        byte[] run = Bytes((150 * 1000) + 400);

        Assert.Equal(151, a.Send(run, 1000, To(address, b.LocalPort)));
        var got = new FrameCollector();
        got.ReceiveAll(b, 151);

        Assert.Equal(run, got.Frames.SelectMany(f => f).ToArray());
        Assert.Equal(400, got.Frames[^1].Length);
        Assert.Equal(new LinkCounters(151, run.Length, 0, 0, 0, 0, 0), b.Counters);
        Assert.Equal(new LinkCounters(0, 0, 151, run.Length, 0, 0, 0), a.Counters);

        Assert.Equal(1, b.Send(run.AsSpan(0, 5), 5, got.Addresses[0]));
        var answer = new FrameCollector();
        answer.ReceiveAll(a, 1);
        Assert.Equal(run[..5], Assert.Single(answer.Frames));
    }

    /// <summary>64 datagrams, or 64 KiB, at a time: cut nowhere where both ends have it, cut by the kernel where the receiver has not.</summary>
    [Theory]
    [InlineData("127.0.0.1", true, true, 3)]
    [InlineData("::1", true, true, 3)]
    [InlineData("127.0.0.1", true, false, 151)]
    [InlineData("127.0.0.1", false, true, 151)]
    [InlineData("127.0.0.1", false, false, 151)]
    public void Run_crosses_the_kernel_together_where_both_ends_have_it(string text, bool cuts, bool merges, int messages)
    {
        var address = IPAddress.Parse(text);
        SkipWithout(address.AddressFamily);
        using UdpLink a = UdpLink.Open(new UdpOptions { Address = address, Offload = cuts }, Unexpected);
        using UdpLink b = UdpLink.Open(new UdpOptions { Address = address, Offload = merges }, Unexpected);
        Assert.Equal(cuts ? 64 : 1, a.MaxTogether);
        byte[] run = Bytes((150 * 1000) + 400);

        Assert.Equal(151, a.Send(run, 1000, To(address, b.LocalPort)));
        var got = new FrameCollector();
        got.ReceiveAll(b, 151);

        Assert.Equal(run, got.Frames.SelectMany(f => f).ToArray());
        Assert.Equal(messages, got.Messages);
        Assert.Equal(new LinkCounters(151, run.Length, 0, 0, 0, 0, 0), b.Counters);
        Assert.Equal(new LinkCounters(0, 0, 151, run.Length, 0, 0, 0), a.Counters);
    }

    [Fact]
    public void Long_datagrams_go_together_as_far_as_a_message_reaches()
    {
        using UdpLink a = UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback }, Unexpected);
        using UdpLink any = UdpLink.Open(new UdpOptions(), Unexpected);
        byte[] run = Bytes(7 * 20_000);
        Assert.Equal(7, a.Send(run, 20_000, To(IPAddress.Loopback, any.LocalPort)));
        var got = new FrameCollector();
        got.ReceiveAll(any, 7);
        Assert.Equal(run, got.Frames.SelectMany(f => f).ToArray());
        // Three and three, and one that is alone.
        Assert.Equal(3, got.Messages);
        Assert.Equal([20_000, 20_000, 20_000, 20_000, 20_000, 20_000, 0], got.SegmentLengths);

        // The mapped address that came with them takes a run as well.
        Assert.Equal(7, any.Send(run, 20_000, got.Addresses[0]));
        var answer = new FrameCollector();
        answer.ReceiveAll(a, 7);
        Assert.Equal(3, answer.Messages);
    }

    [Fact]
    public void What_is_too_long_for_the_way_is_lost_alone_and_ends_nothing()
    {
        using var cable = new UdpCable();
        using UdpLink link = UdpLink.Open(new UdpOptions { Address = cable.Address, DoNotFragment = true }, Unexpected);
        // The shorter end of a run whose others do not fit.
        Assert.Equal(1, link.Send(Bytes((9 * 2000) + 400), 2000, To(cable.Neighbour, 9)));
        Assert.Equal(new LinkCounters(0, 0, 1, 400, 9, 0, 0), link.Counters);
        Assert.Equal(64, link.MaxTogether);
        Assert.Equal(20, link.Send(Bytes(20 * 1000), 1000, To(cable.Neighbour, 9)));
    }

    [Fact]
    public void Way_that_takes_datagrams_only_one_by_one_gets_them_one_by_one_and_says_so_once()
    {
        using var cable = new UdpCable();
        List<string> notices = [];
        // Longer than the interface's MTU: by itself each goes in fragments, but what is to be cut must fit when it is.
        using UdpLink link = UdpLink.Open(new UdpOptions { Address = cable.Address }, notices.Add);
        for (int i = 0; i < 3; i++)
            Assert.Equal(10, link.Send(Bytes(10 * 2000), 2000, To(cable.Neighbour, 9)));
        Assert.Equal(1, link.MaxTogether);
        Assert.Contains("one by one", Assert.Single(notices), StringComparison.Ordinal);
        Assert.Equal(new LinkCounters(0, 0, 30, 60_000, 0, 0, 0), link.Counters);
    }

    [Fact]
    public void Link_on_any_address_sees_mapped_senders_and_sends_to_plain_ones()
    {
        SkipWithout(AddressFamily.InterNetworkV6);
        using UdpLink any = UdpLink.Open(new UdpOptions());
        using UdpLink v4 = UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback, Dscp = 46 });
        v4.Send("hello"u8, 5, To(IPAddress.Loopback, any.LocalPort));
        var got = new FrameCollector();
        got.ReceiveAll(any, 1);
        Assert.Equal(To(IPAddress.Loopback.MapToIPv6(), v4.LocalPort), got.Addresses[0]);

        Assert.Equal(1, any.Send("plain"u8, 5, To(IPAddress.Loopback, v4.LocalPort)));
        Assert.Equal(1, any.Send("mapped"u8, 6, got.Addresses[0]));
        var answers = new FrameCollector();
        answers.ReceiveAll(v4, 2);
        Assert.Equal(["plain"u8.ToArray(), "mapped"u8.ToArray()], answers.Frames);
    }

    [Fact]
    public void Port_that_is_taken_is_said_to_be()
    {
        using UdpLink first = UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback });
        var e = Assert.Throws<LinkException>(() => UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback, Port = first.LocalPort }));
        Assert.Equal(LinkFault.PortInUse, e.Fault);
        Assert.Contains(first.LocalPort.ToString(), e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Address_of_another_host_is_a_network_fault()
    {
        var e = Assert.Throws<LinkException>(() => UdpLink.Open(new UdpOptions { Address = IPAddress.Parse("203.0.113.77") }));
        Assert.Equal(LinkFault.Network, e.Fault);
    }

    [Fact]
    public void Wake_is_kept_until_a_receive_would_wait()
    {
        using UdpLink link = UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback });
        link.Wake();
        Assert.Equal(0, link.Receive(new FrameCollector(), 60_000));
    }

    [Fact]
    public void Refusals_are_errors_counted_and_never_the_end()
    {
        using UdpLink link = UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback });
        using UdpLink peer = UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback });
        var closed = new FrameCollector();
        for (int i = 0; i < 10; i++)
        {
            link.Send("x"u8, 1, To(IPAddress.Loopback, 9));
            link.Receive(closed, 0);
        }

        byte[] tooLong = new byte[70_000];
        Assert.Equal(0, link.Send(tooLong, tooLong.Length, To(IPAddress.Loopback, peer.LocalPort)));
        Assert.Equal(1, link.Counters.SendErrors);
        Assert.Equal(1, link.Send("y"u8, 1, To(IPAddress.Loopback, peer.LocalPort)));
    }

    [Fact]
    public void Datagrams_that_overflow_the_socket_are_counted_as_dropped_by_the_kernel()
    {
        using UdpLink sender = UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback });
        using UdpLink slow = UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback, ReceiveBufferBytes = 4096 });
        byte[] datagram = new byte[1000];
        // Each by itself, for the kernel counts what it merged as one.
        for (int i = 0; i < 200; i++)
            Assert.Equal(1, sender.Send(datagram, 1000, To(IPAddress.Loopback, slow.LocalPort)));
        var got = new FrameCollector();
        while (slow.Receive(got, 0) > 0)
        {
        }

        Assert.Equal(200, got.Frames.Count + slow.Counters.KernelDrops);
        Assert.True(slow.Counters.KernelDrops > 0);
    }

    [Fact]
    public void Closed_link_takes_nothing_and_says_so()
    {
        UdpLink link = UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback });
        link.Dispose();
        link.Dispose();
        Assert.Equal(0, link.Send("x"u8, 1, To(IPAddress.Loopback, 9)));
        Assert.Throws<ObjectDisposedException>(() => link.Receive(new FrameCollector(), 0));
    }

    [Fact]
    public void Receiving_and_sending_do_not_allocate()
    {
        using UdpLink a = UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback });
        using UdpLink b = UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback });
        byte[] run = new byte[64 * 500];
        byte[] to = To(IPAddress.Loopback, b.LocalPort);
        var sink = new CountingSink();
        int sent = 0;
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int round = 0; round < 50; round++)
            {
                sent += a.Send(run, 500, to);
                while (b.Receive(sink, 0) > 0)
                {
                }
            }
        }));
        Assert.Equal(sent, sink.Datagrams);
        Assert.Equal(0, sent % (50 * 64));
    }

    private static void Unexpected(string notice) => Assert.Fail(notice);

    private static byte[] To(IPAddress address, int port)
    {
        byte[] bytes = new byte[SocketAddressBytes.V6Length];
        return bytes[..SocketAddressBytes.Write(address, port, bytes)];
    }

    private static byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        new Random(1).NextBytes(bytes);
        return bytes;
    }

    private static void SkipWithout(AddressFamily family) =>
        Assert.SkipUnless(family == AddressFamily.InterNetwork || Socket.OSSupportsIPv6, "this host has no IPv6");

    private sealed class CountingSink : IFrameSink
    {
        public int Datagrams { get; private set; }

        public void OnFrame(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, int segmentLength) =>
            Datagrams += segmentLength == 0 ? 1 : frame.Length / segmentLength;

        public void OnBatchEnd()
        {
        }
    }

    /// <summary>An interface with an ordinary MTU and a neighbour behind it that takes everything and says nothing.</summary>
    private sealed class UdpCable : IDisposable
    {
        private static int _count;

        private readonly TestHost.VethPair _veth;

        public UdpCable()
        {
            TestHost.RequireRoot();
            _veth = TestHost.NewVeth();
            // From the block for benchmarks; by process, because other test runs may be on this host.
            byte[] bytes = [198, 18, (byte)Environment.ProcessId, (byte)(4 * Interlocked.Increment(ref _count) + 1)];
            Address = new IPAddress(bytes);
            bytes[3]++;
            Neighbour = new IPAddress(bytes);
            TestHost.Run($"ip address add {Address}/30 dev {_veth.Left}");
            TestHost.Run($"ip neighbour add {Neighbour} lladdr 02:00:00:00:00:01 dev {_veth.Left} nud permanent");
        }

        public IPAddress Address { get; }

        public IPAddress Neighbour { get; }

        public void Dispose() => _veth.Dispose();
    }
}
