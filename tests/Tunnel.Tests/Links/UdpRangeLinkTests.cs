using System.Net;
using System.Net.Sockets;
using System.Text;
using Tunnel.Links;
using Tunnel.Links.Udp;

namespace Tunnel.Tests.Links;

/// <summary>Several UDP ports as one link: what is asked at a port is answered from it.</summary>
public class UdpRangeLinkTests
{
    private const int Ports = 3;

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    public void AnAnswerLeavesFromThePortThatWasAsked(string host)
    {
        IPAddress address = IPAddress.Parse(host);
        using UdpRangeLink link = Open(address, out int first);
        var echo = new Echo(link);
        for (int i = 0; i < Ports; i++)
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 30_000 };
            // Connected: from elsewhere nothing would be received.
            socket.Connect(new IPEndPoint(address, first + i));
            socket.Send(Encoding.ASCII.GetBytes($"at {i}"));
            while (echo.Count <= i)
                link.Receive(echo, 1000);
            byte[] buffer = new byte[100];
            Assert.Equal($"at {i}", Encoding.ASCII.GetString(buffer, 0, socket.Receive(buffer)));
        }

        Assert.Equal((Ports, Ports, 0), (link.Counters.PacketsIn, link.Counters.PacketsOut, link.Counters.SendErrors));
    }

    [Fact]
    public void RunsToSeveralPortsStayApartAndCountEachDatagram()
    {
        using UdpRangeLink link = Open(IPAddress.Loopback, out int first);
        using UdpLink peer = UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback });
        for (int i = 0; i < Ports; i++)
        {
            byte[] run = Enumerable.Repeat((byte)i, 40 * 1000).ToArray();
            Assert.Equal(40, peer.Send(run, 1000, new IPEndPoint(IPAddress.Loopback, first + i).Serialize().Buffer.Span));
        }

        var got = new FrameCollector();
        got.ReceiveAll(link, Ports * 40);
        Assert.Equal(Ports, got.Messages);
        Assert.All(got.Frames.Zip(got.Addresses), f => Assert.Equal(Enumerable.Repeat(f.Second[^1], 1000), f.First));
        Assert.Equal(Ports * 40, link.Counters.PacketsIn);

        // Back from each of them.
        foreach (byte[] address in got.Addresses.DistinctBy(a => a[^1]))
            Assert.Equal(40, link.Send(new byte[40 * 1000], 1000, address));
        var answers = new FrameCollector();
        answers.ReceiveAll(peer, Ports * 40);
        Assert.Equal(Ports, answers.Messages);
        Assert.Equal(Enumerable.Range(first, Ports), answers.Addresses.Select(a => (a[2] << 8) | a[3]).Distinct().Order());
    }

    [Fact]
    public void AWaitEndsWhenItIsWoken()
    {
        using UdpRangeLink link = Open(IPAddress.Loopback, out _);
        link.Wake();
        // Without the signal the test would hang here.
        Assert.Equal(0, link.Receive(new Echo(link), -1));
    }

    [Fact]
    public void OnePortThatIsTakenIsTheEndOfAll()
    {
        using UdpRangeLink link = Open(IPAddress.Loopback, out int first);
        var e = Assert.Throws<LinkException>(() => UdpRangeLink.Open(new UdpOptions { Address = IPAddress.Loopback, Port = first - 1 }, 2));
        Assert.Equal(LinkFault.PortInUse, e.Fault);
        // And nothing of it stays open.
        UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback, Port = first - 1 }).Dispose();
    }

    private static UdpRangeLink Open(IPAddress address, out int first)
    {
        var random = new Random();
        int tries = 0;
        while (true)
        {
            first = random.Next(20_000, 32_000);
            try
            {
                // The port below stays free for who wants it.
                UdpLink.Open(new UdpOptions { Address = address, Port = first - 1 }).Dispose();
                return UdpRangeLink.Open(new UdpOptions { Address = address, Port = first }, Ports);
            }
            catch (LinkException) when (tries++ < 100)
            {
                // Some other process has one of them.
            }
        }
    }

    private sealed class Echo(UdpRangeLink link) : IFrameSink
    {
        public int Count { get; private set; }

        public void OnFrame(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, int segmentLength)
        {
            Count++;
            link.Send(frame, frame.Length, address);
        }

        public void OnBatchEnd()
        {
            // Each is answered by itself.
        }
    }
}
