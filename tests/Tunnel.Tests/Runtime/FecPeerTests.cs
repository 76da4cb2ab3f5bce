using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Hosting;
using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Links.Memory;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;
using Tunnel.Tests.Config;
using Tunnel.Tests.Support;
using Tunnel.Tests.Vectors;

namespace Tunnel.Tests.Runtime;

/// <summary>A peer with forward error correction, as recorded: every one of its packets is counted, and it is spoken of once.</summary>
public sealed class FecPeerTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly MemoryLink _near;
    private readonly MemoryLink _far;
    private readonly DeadlineLoop _deadlines = new();
    private readonly List<Endpoint> _seen = [];

    public FecPeerTests() => (_near, _far) = MemoryLink.CreatePair(new MemoryWireOptions(), 1);

    [Fact]
    public async Task AServerCountsThemAndMakesNoSession()
    {
        var link = new ReplaceableLink(_near);
        var sessions = new ServerSessions(Factory(), new DatagramCarrier(), link, _deadlines, () => 10);
        using var server = new ServerReceiver(link, sessions);
        await HearAsync(server, fromClient: true);
        Assert.Equal(0, sessions.Count);
    }

    [Fact]
    public async Task AClientCountsThemToo()
    {
        var link = new ReplaceableLink(_near);
        IPEndPoint peer = FarEnd();
        var opened = new OpenedLink(
            link, new DatagramCarrier(), DatagramCarrier.Open(link, peer), Endpoint.FromIPEndPoint(peer), Firewall: null, FindWay: null);
        using var client = new ClientReceiver(opened, Factory(), _deadlines);
        await HearAsync(client, fromClient: false);
        Assert.False(client.Session.IsClosed);
    }

    /// <summary>The whole server, over a socket: one line in the log.</summary>
    [Fact]
    public async Task TheLogNamesThePeerOnce()
    {
        byte[][] datagrams = Datagrams(fromClient: true);
        using Socket socket = Bound();
        int port;
        using (Socket free = Bound())
            port = ((IPEndPoint)free.LocalEndPoint!).Port;
        ServerConfig config = ConfigText.ValidServer(
            $"[listen]\nport={port}\n[network]\nlink='udp'\n[network.ipv4]\naddress='127.0.0.1'\n[transport]\ngrace='0s'\n"
            + $"[transport.kcp]\nkey='{Recordings.Key}'\nblock='aes'\nguard=false\n");
        using var log = new LogFactory();
        using var server = new ServerHost(config, log, new Lifetime());
        await server.StartAsync(CancellationToken.None);
        foreach (byte[] datagram in datagrams)
            await socket.SendToAsync(datagram, new IPEndPoint(IPAddress.Loopback, port));
        await UntilAllCountedAsync(server.Receivers[0], datagrams.Length);
        Assert.Single(log.Lines.All, line => line.Contains("forward error correction") && line.Contains($"{socket.LocalEndPoint}"));
        await server.StopAsync(CancellationToken.None);
        Assert.Single(log.Lines.All, line => line.Contains("forward error correction"));
    }

    public void Dispose()
    {
        _deadlines.Dispose();
        _near.Dispose();
        _far.Dispose();
    }

    private async Task HearAsync(LinkReceiver receiver, bool fromClient)
    {
        receiver.FecSeen += _seen.Add;
        receiver.Start();
        byte[][] datagrams = Datagrams(fromClient);
        foreach (byte[] datagram in datagrams)
            _far.Send(datagram, datagram.Length, _far.RemoteAddress);
        await UntilAllCountedAsync(receiver, datagrams.Length);
        Assert.Equal([Endpoint.FromIPEndPoint(FarEnd())], _seen);
        Assert.All(
            Enum.GetValues<DropReason>(), reason => Assert.Equal(reason == DropReason.Fec ? datagrams.Length : 0, receiver.GetDrops(reason)));
    }

    private static async Task UntilAllCountedAsync(LinkReceiver receiver, int count)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (receiver.GetDrops(DropReason.Fec) < count)
            await Task.Delay(5, limit.Token);
        Assert.Equal(count, receiver.GetDrops(DropReason.Fec));
    }

    private static byte[][] Datagrams(bool fromClient)
    {
        byte[][] datagrams = [.. CapturedDatagram.Read(Recordings.Fec, fromClient).Select(d => d.Bytes)];
        Assert.True(datagrams.Length > 20);
        return datagrams;
    }

    private static Socket Bound()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private IPEndPoint FarEnd() => (IPEndPoint)new IPEndPoint(IPAddress.Any, 0).Create(AddressOf(_far.LocalAddress));

    private static SocketAddress AddressOf(ReadOnlySpan<byte> bytes)
    {
        var address = new SocketAddress(AddressFamily.InterNetwork, bytes.Length);
        bytes.CopyTo(address.Buffer.Span);
        return address;
    }

    private static SessionFactory Factory() => new(
        "aes", KeyDerivation.Paqet(Recordings.Key), new KcpOptions(), new MuxOptions(), mtu: 1350, guard: null, admission: null);

    private sealed class LogFactory : ILoggerFactory
    {
        public LogLines Lines { get; } = new();

        public void AddProvider(ILoggerProvider provider)
        {
            // All lines are kept here.
        }

        public ILogger CreateLogger(string categoryName) => Lines;

        public void Dispose()
        {
            // Nothing is held.
        }
    }

    private sealed class Lifetime : IHostApplicationLifetime
    {
        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => CancellationToken.None;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication() => throw new InvalidOperationException("the host gave up");
    }
}
