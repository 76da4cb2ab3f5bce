using System.Net;
using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Links.Udp;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Runtime;

public sealed class ClientReceiverTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DeadlineLoop _deadlines = new();

    /// <summary>Whoever has the key and knows the conversation is still not the server: users share both, and none of them may speak for it.</summary>
    [Fact]
    public async Task OnlyTheServersAddressIsHeard()
    {
        using UdpLink server = Loopback(), stranger = Loopback();
        UdpLink own = Loopback();
        var link = new ReplaceableLink(own);
        var address = new IPEndPoint(IPAddress.Loopback, server.LocalPort);
        var opened = new OpenedLink(
            link, new DatagramCarrier(), DatagramCarrier.Open(link, address), Endpoint.FromIPEndPoint(address), Firewall: null, FindWay: null);
        var streams = new List<TunnelStream>();
        using var client = new ClientReceiver(opened, Factory(), _deadlines);
        client.Start();
        byte[] datagram = OpenStream(client.Session.Conv);
        var target = new IPEndPoint(IPAddress.Loopback, own.LocalPort);

        stranger.Send(datagram, datagram.Length, target.Serialize().Buffer.Span);
        await UntilAsync(() => client.GetDrops(DropReason.UnknownPeer) == 1);
        Assert.Equal(0, client.Session.StreamCount);

        server.Send(datagram, datagram.Length, target.Serialize().Buffer.Span);
        await UntilAsync(() => client.Session.StreamCount == 1);
        Assert.Equal(1, client.GetDrops(DropReason.UnknownPeer));
    }

    public void Dispose() => _deadlines.Dispose();

    private static UdpLink Loopback() => UdpLink.Open(new UdpOptions { Address = IPAddress.Loopback });

    private static SessionFactory Factory() =>
        new("aes-128-gcm", new byte[32], new KcpOptions(), new MuxOptions(), mtu: 1350, guard: null, admission: null);

    /// <summary>What the conversation's server sends to open a stream.</summary>
    private static byte[] OpenStream(uint conv)
    {
        Session session = Factory().CreateSession(conv, isClient: false, MonotonicClock.Now);
        Assert.NotNull(session.Mux.Open());
        byte[] buffer = new byte[1 << 16];
        TransmitRun run = session.Transmit(buffer, headroom: 0, MonotonicClock.Now);
        return buffer[..run.Length];
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!condition())
            await Task.Delay(5, limit.Token);
    }
}
