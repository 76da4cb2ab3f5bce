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
        Assert.True(got.Batches <= 151);
        Assert.Equal(new LinkCounters(151, run.Length, 0, 0, 0, 0, 0), b.Counters);
        Assert.Equal(new LinkCounters(0, 0, 151, run.Length, 0, 0, 0), a.Counters);

        Assert.Equal(1, b.Send(run.AsSpan(0, 5), 5, got.Addresses[0]));
        var answer = new FrameCollector();
        answer.ReceiveAll(a, 1);
        Assert.Equal(run[..5], Assert.Single(answer.Frames));
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
        byte[] run = new byte[200 * 1000];
        Assert.Equal(200, sender.Send(run, 1000, To(IPAddress.Loopback, slow.LocalPort)));
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
        Assert.Equal(sent, sink.Frames);
        Assert.Equal(0, sent % (50 * 64));
    }

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
        public int Frames { get; private set; }

        public void OnFrame(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, int segmentLength) => Frames++;

        public void OnBatchEnd()
        {
        }
    }
}
