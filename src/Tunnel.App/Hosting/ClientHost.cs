using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Diagnostics;
using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Traffic;
using Tunnel.App.Services;
using Tunnel.Links;
using Tunnel.Links.Host;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Hosting;

/// <summary>The client: listeners for applications, connections to the server.</summary>
public sealed partial class ClientHost(ClientConfig config, ILoggerFactory loggers, IHostApplicationLifetime lifetime) : BackgroundService, ITunnelEnd
{
    private readonly ILogger _logger = loggers.CreateLogger("tunnel");
    private readonly List<ILocalListener> _listeners = [];
    private DeadlineLoop? _deadlines;
    private int _result;
    private ConnectionPool? _pool;
    private CancellationTokenSource? _relays;
    private HostNetworkMonitor? _network;
    private ListenerGate? _gate;

    /// <summary>What ended the client, as an exit code.</summary>
    public int GetResult() => _result;

    /// <summary>The connections, once started.</summary>
    public IReadOnlyList<ClientConnection> Connections => _pool?.Connections ?? [];

    /// <summary>What became of datagrams.</summary>
    public UdpMeter Udp { get; } = new();

    string ITunnelEnd.Role => "client";

    string? ITunnelEnd.Link => Connections.Select(c => c.Receiver?.Link.Name).FirstOrDefault(name => name is not null);

    string? ITunnelEnd.Unready => Connections.Any(c => c.Session is { IsClosed: false }) ? null : "no session with the server is up";

    public TrafficLedger Ledger { get; } = new();

    long? ITunnelEnd.MemoryLimit => null;

    /// <summary>The listeners, once started.</summary>
    internal IReadOnlyList<ILocalListener> Listeners => _listeners;

    /// <summary>Datagrams go behind their lengths to servers that understand that.</summary>
    internal bool FrameUdp { get; init; } = true;

    /// <summary>The bounds of datagrams' relays.</summary>
    internal UdpLimits UdpLimits { get; init; } = new();

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        _deadlines = new DeadlineLoop();
        _relays = new CancellationTokenSource();
        _pool = CreatePool(_deadlines);
        bool hasHeader = config.Transport.Profile == TransportProfile.Paqet;
        HeaderFormat? format = hasHeader ? Stack.HeaderFormatOf(config.Transport) : null;
        var opener = new StreamOpener(_pool, config.Transport.OpenTimeout, format, FrameUdp) { Dials = Ledger.Dials };
        var udp = new UdpService(opener, UdpLimits, Udp);
        ListenerGate gate = _gate = new ListenerGate(config.Listeners, _logger);
        KernelLimits.Check(config, _logger);
        foreach (Socks5Config socks in config.Socks5)
            Listen(new Socks5Listener(socks.Listen, socks.Credentials, udp, gate, _logger));
        foreach (ForwardConfig forward in config.Forward)
            Listen(CreateForward(forward, udp, gate));
        WatchNetwork(_pool);
        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        foreach (ILocalListener listener in _listeners)
            listener.Dispose();
        await Drain.WaitAsync(() => _listeners.Sum(l => l.Active), config.Transport.Grace, cancellationToken).ConfigureAwait(false);
        if (_relays is not null)
            await _relays.CancelAsync().ConfigureAwait(false);
        _network?.Dispose();
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        LogUdp(_logger, Udp);
        _deadlines?.Dispose();
    }

    public override void Dispose()
    {
        _relays?.Dispose();
        base.Dispose();
    }

    IReadOnlyList<ConnectionStatus> ITunnelEnd.GetConnections() =>
        [.. Connections.Select(c => new ConnectionStatus(c.Index, c.Session?.Peer.ToString(), c.Session is { IsClosed: false }, c.Connects))];

    ListenerStatus? ITunnelEnd.GetListeners() =>
        _gate is { } gate ? new ListenerStatus(gate.Active, gate.Refused, gate.AcceptErrors) : null;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            Task[] listeners = [.. _listeners.Select(l => l.RunAsync(_relays!.Token))];
            await _pool!.RunAsync(stoppingToken).ConfigureAwait(false);
            await Task.WhenAll(listeners).ConfigureAwait(false);
        }
        catch (LinkException e)
        {
            LogFatal(_logger, e.Message);
            _result = ExitCode.For(e.Fault);
            lifetime.StopApplication();
        }
    }

    /// <summary>Where the kernel does not find the way, this process must notice that it changed.</summary>
    private void WatchNetwork(ConnectionPool pool)
    {
        if (config.Network.Link == LinkKind.Udp)
            return;
        _network = new HostNetworkMonitor();
        // Looking the way up may wait for a neighbour; the monitor's thread must not.
        _network.Changed += () => _ = Task.Run(pool.OnNetworkChanged);
    }

    private ConnectionPool CreatePool(DeadlineLoop deadlines)
    {
        SessionFactory sessions = Stack.CreateFactory(config.Transport, admission: null, Ledger);
        var links = new ClientLinks(config, _logger);
        ushort[] wanted = config.Network.Tcp.Remote;
        bool announce = config.Network.Link != LinkKind.Udp && wanted is not [Protocol.Wire.TcpFlags.Default];
        bool hasHeader = config.Transport.Profile == TransportProfile.Paqet;
        var options = new ClientConnectionOptions(hasHeader, announce ? wanted : [], Stack.HeaderFormatOf(config.Transport));
        return new ConnectionPool(
            config.Transport.Conn,
            config.Transport.OpenTimeout,
            (index, changed, isWanted) => new ClientConnection(
                index, links.OpenAsync, sessions, deadlines, options, changed, isWanted, _logger));
    }

    private ILocalListener CreateForward(ForwardConfig forward, UdpService udp, ListenerGate gate) => forward.Protocol == ForwardProtocol.Udp
        ? new UdpForwardListener(forward.Listen, TargetOf(forward.Target), udp, _logger)
        : new ForwardListener(forward.Listen, TargetOf(forward.Target), udp.Opener, gate, _logger);

    private void Listen(ILocalListener listener)
    {
        try
        {
            listener.Bind();
            _listeners.Add(listener);
        }
        catch (SocketException e)
        {
            listener.Dispose();
            throw e.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => new StartException(
                    ExitCode.PortInUse,
                    $"{listener.Wanted} is taken: `ss -ltnp 'sport = :{listener.Wanted.Port}'` shows by whom"),
                SocketError.AccessDenied => new StartException(
                    ExitCode.Privilege,
                    $"no permission to listen on {listener.Wanted}: ports below 1024 need root or CAP_NET_BIND_SERVICE"),
                _ => new StartException(
                    ExitCode.Network,
                    $"cannot listen on {listener.Wanted} (`ip addr` lists this host's addresses): {e.Message}"),
            };
        }
    }

    private static Target TargetOf(HostPort? target) => target is null ? default : new Target(target.Host, (ushort)target.Port);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Datagrams}")]
    private static partial void LogUdp(ILogger logger, UdpMeter datagrams);

    [LoggerMessage(Level = LogLevel.Critical, Message = "{Problem}")]
    private static partial void LogFatal(ILogger logger, string problem);
}

/// <summary>The process cannot start; the message says what, where and what to do.</summary>
public sealed class StartException(int exitCode, string message) : Exception(message)
{
    public int ExitCode { get; } = exitCode;
}
