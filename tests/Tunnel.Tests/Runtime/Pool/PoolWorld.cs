using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Pool;
using Tunnel.App.Services;
using Tunnel.Links;
using Tunnel.Links.Memory;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Runtime.Pool;

/// <summary>
/// A pool with servers in this process, whole stacks over memory links that can be cut: a server is a host in 192.0.2.0/24, and
/// dials an echo on loopback.
/// </summary>
internal sealed class PoolWorld : IAsyncDisposable
{
    private static readonly IPEndPoint RightEnd = IPEndPoint.Parse("127.77.0.2:9");

    private readonly DeadlineLoop _deadlines = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<(IPAddress Host, MemoryLink Client, MemoryLink Server)> _links = [];
    private readonly HashSet<IPAddress> _cut = [];
    private readonly List<(ServerReceiver Receiver, ServerSessions Sessions)> _receivers = [];
    private readonly List<IPEndPoint> _opened = [];
    private readonly List<int> _sought = [];
    private readonly TcpListener _echo = new(IPAddress.Loopback, 0);
    private readonly ReverseListeners _reverse;
    private readonly StreamServer _streams;
    private readonly SessionFactory _sessions;
    private readonly Task _running;

    /// <param name="perServer">Connections to each server.</param>
    /// <param name="maxStreams">Streams of a session.</param>
    /// <param name="servers">What the pool begins with.</param>
    public PoolWorld(int perServer, int maxStreams, params ServerSpec[] servers)
    {
        _echo.Start();
        _ = EchoAsync();
        _sessions = new SessionFactory(
            "aes-128-gcm", new byte[32], new KcpOptions(), new MuxOptions { MaxStreams = maxStreams }, 1350, null, null);
        var udp = new UdpServing(() => new UdpLimits(), new UdpMeter());
        var gate = new ListenerGate(() => new ListenersConfig(null, null, 100), NullLogger.Instance);
        _reverse = new ReverseListeners(new ReversePolicy([]), gate, udp, NullLogger.Instance, _stop.Token);
        var dialer = new Dialer(() => new DialRules(TimeSpan.FromSeconds(10), TargetPolicy.Everything));
        _streams = new StreamServer(dialer, () => TimeSpan.FromSeconds(10), null, udp, _reverse, NullLogger.Instance, _stop.Token);
        var options = new ClientConnectionOptions(Ping: true, [], HeaderFormat.V1);
        var parts = new ConnectionParts(OpenAsync, _sessions, _deadlines, options, FixedPort: false, NullLogger.Instance);
        Pool = new ConnectionPool(perServer, TimeSpan.FromSeconds(20), parts, new Random(1));
        Opener = new StreamOpener(Pool, TimeSpan.FromSeconds(20), HeaderFormat.V1);
        Pool.Apply(servers);
        _running = Pool.RunAsync(_stop.Token);
    }

    public ConnectionPool Pool { get; }

    public StreamOpener Opener { get; }

    public Target Echo => new("127.0.0.1", (ushort)((IPEndPoint)_echo.LocalEndpoint).Port);

    /// <summary>Where links were opened to so far.</summary>
    public IPEndPoint[] Opened
    {
        get
        {
            lock (_links)
                return [.. _opened];
        }
    }

    /// <summary>How often each link, in the order in which they were opened, was asked for the way to its server.</summary>
    public int[] Sought
    {
        get
        {
            lock (_links)
                return [.. _sought];
        }
    }

    public static ServerSpec Server(int host, long priority = 0, double weight = 1, int ports = 1) =>
        new($"s{host}", new HostPort($"192.0.2.{host}", 9999), ports, priority, weight);

    /// <summary>Nothing passes between the client and a host any more, until it is mended.</summary>
    public void Cut(int host, bool cut = true)
    {
        IPAddress address = AddressOf(host);
        lock (_links)
        {
            _ = cut ? _cut.Add(address) : _cut.Remove(address);
            foreach ((_, MemoryLink client, MemoryLink server) in _links.Where(l => l.Host.Equals(address)))
            {
                client.ChangeOutgoing(o => o.Loss = cut ? 1 : 0);
                server.ChangeOutgoing(o => o.Loss = cut ? 1 : 0);
            }
        }
    }

    public void Mend(int host) => Cut(host, cut: false);

    /// <summary>As <see cref="Cut"/>, but links that are opened from now on are whole.</summary>
    public void CutWhatIsOpen(int host)
    {
        lock (_links)
        {
            Cut(host);
            _cut.Remove(AddressOf(host));
        }
    }

    /// <summary>Waits until so many connections to a host are in a state.</summary>
    public Task UntilAsync(int host, ConnectionState state, int count = 1) =>
        Eventually(() => Pool.GetStatus().Count(s => s.Server == $"s{host}" && s.State == state) == count);

    public static async Task Eventually(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!condition())
            await Task.Delay(10, limit.Token);
    }

    /// <summary>The host that a stream goes to.</summary>
    public int HostOf(TunnelStream stream)
    {
        ClientConnection connection = Pool.Connections.First(c => c.Session == stream.Session || c.Drained == stream.Session);
        return int.Parse(connection.ServerName[1..]);
    }

    /// <summary>Opens streams, closes them, and counts by host.</summary>
    public async Task<Dictionary<int, int>> CountOpensAsync(int count)
    {
        var counts = new Dictionary<int, int>();
        for (int i = 0; i < count; i++)
        {
            TunnelStream stream = await Pool.OpenStreamAsync(CancellationToken.None);
            int host = HostOf(stream);
            counts[host] = counts.GetValueOrDefault(host) + 1;
            stream.Close();
        }

        return counts;
    }

    public static async Task AssertEchoesAsync(TunnelStream stream, string text)
    {
        byte[] sent = System.Text.Encoding.ASCII.GetBytes(text), back = new byte[sent.Length];
        await stream.WriteAsync(sent);
        for (int have = 0; have < back.Length;)
        {
            int count = await stream.ReadAsync(back.AsMemory(have));
            Assert.NotEqual(0, count);
            have += count;
        }

        Assert.Equal(sent, back);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        foreach ((ServerReceiver receiver, ServerSessions sessions) in _receivers)
        {
            receiver.Dispose();
            sessions.Close();
        }

        _echo.Dispose();
        _deadlines.Dispose();
        _stop.Dispose();
    }

    private static IPAddress AddressOf(int host) => IPAddress.Parse($"192.0.2.{host}");

    private ValueTask<OpenedLink> OpenAsync(IPEndPoint server, int index, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        (MemoryLink client, MemoryLink far) = MemoryLink.CreatePair(new MemoryWireOptions { DelayNanoseconds = 1_000_000 }, 1);
        int number;
        lock (_links)
        {
            number = _opened.Count;
            _links.Add((server.Address, client, far));
            _opened.Add(server);
            _sought.Add(0);
            if (_cut.Contains(server.Address))
                Cut(server.Address.GetAddressBytes()[3]);
        }

        var served = new ReplaceableLink(far);
        var sessions = new ServerSessions(_sessions, new DatagramCarrier(), served, _deadlines, () => 100);
        sessions.StreamOpened += _streams.Serve;
        var receiver = new ServerReceiver(served, sessions);
        receiver.Start();
        lock (_links)
            _receivers.Add((receiver, sessions));
        var near = new ReplaceableLink(client);
        PeerPath path = DatagramCarrier.Open(near, RightEnd);
        return ValueTask.FromResult(new OpenedLink(near, new DatagramCarrier(), path, Endpoint.FromIPEndPoint(RightEnd), null, () => Seek(number)));
    }

    /// <summary>The way of a link is what it was; datagrams have no other addresses.</summary>
    private FlowAddresses? Seek(int number)
    {
        lock (_links)
            _sought[number]++;
        return default(FlowAddresses);
    }

    private async Task EchoAsync()
    {
        try
        {
            while (true)
                _ = EchoAsync(await _echo.AcceptTcpClientAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static async Task EchoAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                await client.GetStream().CopyToAsync(client.GetStream());
            }
            catch (IOException)
            {
                // Streams end as the tests want.
            }
        }
    }
}
