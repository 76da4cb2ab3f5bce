using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Diagnostics;
using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Pool;
using Tunnel.App.Runtime.Resolving;
using Tunnel.App.Runtime.Traffic;
using Tunnel.App.Services;
using Tunnel.Links;
using Tunnel.Links.Host;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Hosting;

/// <summary>The client: listeners for applications, connections to the servers.</summary>
public sealed partial class ClientHost(ClientConfig config, ILoggerFactory loggers, IHostApplicationLifetime lifetime)
    : BackgroundService, ITunnelHost<ClientConfig>, ITunnelEnd
{
    private readonly ILogger _logger = loggers.CreateLogger("tunnel");
    private volatile ClientConfig? _changed;
    private DeadlineLoop? _deadlines;
    private int _result;
    private ConnectionPool? _pool;
    private ListenerGate? _gate;
    private ClientListeners? _listeners;
    private SessionFactory? _sessions;
    private ServerDirectory? _servers;
    private CancellationTokenSource? _relays;
    private ReverseForwards? _reverse;
    private HostNetworkMonitor? _network;

    /// <summary>What live keys say now. Whoever reads it takes no lock; what is not live is read where it was at the start.</summary>
    private ClientConfig Live => _changed ?? config;

    /// <summary>What ended the client, as an exit code.</summary>
    public int GetResult() => _result;

    /// <summary>The connections, once started.</summary>
    public IReadOnlyList<ClientConnection> Connections => _pool?.Connections ?? [];

    /// <summary>Which bounds were reached.</summary>
    public LimitMeter Limits { get; } = new(loggers.CreateLogger("tunnel"));

    /// <summary>The connections as they are now, once started.</summary>
    public IReadOnlyList<ConnectionStatus> GetConnectionStatus() => _pool?.GetStatus() ?? [];

    /// <summary>What became of datagrams.</summary>
    public UdpMeter Udp { get; } = new();

    string ITunnelEnd.Role => "client";

    string? ITunnelEnd.Link => Connections.Select(c => c.Receiver?.Link.Name).FirstOrDefault(name => name is not null);

    string? ITunnelEnd.Unready => Connections.Any(c => c.Session is { IsClosed: false }) ? null : "no session with the server is up";

    public TrafficLedger Ledger { get; } = new();

    long? ITunnelEnd.MemoryLimit => _sessions?.Budget.Limit;

    /// <summary>The listeners, once started.</summary>
    internal IReadOnlyList<ILocalListener> Listeners => _listeners?.Current ?? [];

    /// <summary>Cancelled: a stop waits for nothing any more.</summary>
    internal CancellationToken Hurry { get; init; }

    /// <summary>Datagrams go behind their lengths to servers that understand that.</summary>
    internal bool FrameUdp { get; init; } = true;

    /// <summary>The bounds of datagrams' relays, instead of those that the file says.</summary>
    internal UdpLimits? UdpLimits { get; init; }

    /// <summary>Who is asked for SRV records.</summary>
    internal DnsClient Dns { get; init; } = DnsClient.OfThisHost;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        _deadlines = new DeadlineLoop();
        _relays = new CancellationTokenSource();
        _sessions = Stack.CreateFactory(config.Transport, () => Live.Transport.Kcp, Limits, Ledger, _logger);
        _reverse = new ReverseForwards(
            config.Reverse, () => Live.Transport.DialTimeout, new UdpServing(GetUdpLimits, Udp, Limits), _logger, _relays.Token);
        _pool = CreatePool(_deadlines, _sessions, _reverse);
        _servers = new ServerDirectory(Dns, _pool.Apply, _logger);
        bool hasHeader = config.Transport.Profile == TransportProfile.Paqet;
        HeaderFormat? format = hasHeader ? Stack.HeaderFormatOf(config.Transport) : null;
        var opener = new StreamOpener(_pool, config.Transport.OpenTimeout, format, FrameUdp) { Dials = Ledger.Dials };
        var udp = new UdpService(opener, GetUdpLimits, Udp, Limits);
        KernelLimits.Check(config, _logger);
        _changed = KernelLimits.Afford(config);
        // How many sockets a listener has does not change while others of its kind have been opened otherwise.
        _gate = new ListenerGate(() => config.Listeners with { MaxConnections = Live.Listeners.MaxConnections }, _logger);
        _listeners = new ClientListeners(udp, _gate, _logger, _relays.Token);
        _listeners.Start(config);
        _servers.Apply(config.Servers);
        // The way to the server may change, and how much the link takes.
        _network = NetworkWatch.Start(config.Network.Link, _pool.OnNetworkChanged);
        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Apply(ClientConfig next)
    {
        _changed = KernelLimits.Afford(next);
        KernelLimits.Check(next, _logger);
        _sessions!.Log?.Refresh();
        _sessions.Budget.Limit = MemoryBudget.LimitOf(next.Transport.Memory);
        _servers!.Apply(next.Servers);
        _listeners!.Apply(next);
    }

    /// <summary>No new connections; those that run end, within the grace; then the server is told goodbye.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _listeners?.Dispose();
        _reverse?.Dispose();
        await Drain.WaitAsync(() => (_gate?.Active ?? 0) + (_reverse?.Active ?? 0), Live.Transport.Grace, Hurry, cancellationToken).ConfigureAwait(false);
        if (_relays is not null)
            await _relays.CancelAsync().ConfigureAwait(false);
        _network?.Dispose();
        _servers?.Dispose();
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        LogUdp(_logger, Udp);
        _deadlines?.Dispose();
    }

    public override void Dispose()
    {
        _relays?.Dispose();
        base.Dispose();
    }

    IReadOnlyList<ConnectionStatus> ITunnelEnd.GetConnections() => GetConnectionStatus();

    ListenerStatus? ITunnelEnd.GetListeners() => ListenerStatus.Of(_gate);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await _pool!.RunAsync(stoppingToken).ConfigureAwait(false);
        }
        catch (LinkException e)
        {
            LogFatal(_logger, e.Message);
            _result = ExitCode.For(e.Fault);
            lifetime.StopApplication();
        }
    }

    private UdpLimits GetUdpLimits() =>
        UdpLimits ?? Services.UdpLimits.Of(Live.Udp, (long)config.Transport.Conn * Live.Transport.Kcp.MaxStreamsPerSession);

    private ConnectionPool CreatePool(DeadlineLoop deadlines, SessionFactory sessions, ReverseForwards reverse)
    {
        var links = new ClientLinks(config, _logger);
        ushort[] wanted = config.Network.Tcp.Remote;
        bool announce = config.Network.Link != LinkKind.Udp && wanted is not [Protocol.Wire.TcpFlags.Default];
        bool hasHeader = config.Transport.Profile == TransportProfile.Paqet;
        var options = new ClientConnectionOptions(hasHeader, announce ? wanted : [], Stack.HeaderFormatOf(config.Transport))
        {
            SessionUp = reverse.Register,
            Serve = reverse.ServeAsync,
        };
        bool fixedPort = config.Network.IPv4.Port != 0 || config.Network.IPv6.Port != 0;
        var parts = new ConnectionParts(links.OpenAsync, sessions, deadlines, options, fixedPort, _logger);
        return new ConnectionPool(config.Transport.Conn, config.Transport.OpenTimeout, parts, Random.Shared);
    }

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
