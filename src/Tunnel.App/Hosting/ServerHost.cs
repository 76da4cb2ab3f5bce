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

/// <summary>The server: a link, the sessions on it, and what their streams ask for.</summary>
public sealed partial class ServerHost(ServerConfig config, ILoggerFactory loggers, IHostApplicationLifetime lifetime)
    : BackgroundService, ITunnelHost<ServerConfig>, ITunnelEnd
{
    /// <summary>Enough to see every client come and go; a peer that makes sessions without end must not fill the disk.</summary>
    private const int SessionLines = 100;

    private readonly ILogger _logger = loggers.CreateLogger("tunnel");
    private readonly RateLimitedLog _refused = new(loggers.CreateLogger("tunnel"), "sessions refused for want of memory");
    private volatile ServerConfig? _changed;
    private readonly RateLimitedLog _came = new(loggers.CreateLogger("tunnel"), "sessions that began") { Burst = SessionLines };
    private readonly RateLimitedLog _went = new(loggers.CreateLogger("tunnel"), "sessions that ended") { Burst = SessionLines };
    private DeadlineLoop? _deadlines;
    private int _result;
    private StreamServer? _streams;
    private ListenerGate? _gate;
    private ReverseListeners? _reverse;
    private CancellationTokenSource? _relays;
    private SessionFactory? _factory;
    private ServerLinks? _links;
    private LinkKeeper? _keeper;
    private HostNetworkMonitor? _network;

    /// <summary>What live keys say now. Whoever reads it takes no lock; what is not live is read where it was at the start.</summary>
    private ServerConfig Live => _changed ?? config;

    /// <summary>What ended the server, as an exit code.</summary>
    public int GetResult() => _result;

    /// <summary>The sessions, once started.</summary>
    public ServerSessions? Sessions { get; private set; }

    /// <summary>The links, whichever those are now, with what they receive for the sessions; none while the server is not running.</summary>
    public IReadOnlyList<ServerReceiver> Receivers { get; private set; } = [];

    /// <summary>Which bounds were reached.</summary>
    public LimitMeter Limits { get; } = new(loggers.CreateLogger("tunnel"));

    /// <summary>What became of datagrams.</summary>
    public UdpMeter Udp { get; } = new();

    string ITunnelEnd.Role => "server";

    string? ITunnelEnd.Link => Receivers is [var first, ..] ? first.Link.Name : null;

    string? ITunnelEnd.Unready => Receivers.Count == 0 ? "the link is not open" : null;

    public TrafficLedger Ledger { get; } = new();

    long? ITunnelEnd.MemoryLimit => _factory?.Budget.Limit;

    /// <summary>The bounds of datagrams' relays, instead of those that the file says.</summary>
    internal UdpLimits? UdpLimits { get; init; }

    /// <summary>The listeners of reverse forwards, once started.</summary>
    internal ReverseListeners? Reverse => _reverse;

    /// <summary>Cancelled: a stop waits for nothing any more.</summary>
    internal CancellationToken Hurry { get; init; }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        KernelLimits.Check(config, _logger);
        _changed = KernelLimits.Afford(config);
        _deadlines = new DeadlineLoop();
        _relays = new CancellationTokenSource();
        _factory = Stack.CreateFactory(config.Transport, () => Live.Transport.Kcp, Limits, Ledger, _logger);
        _links = new ServerLinks(config, _logger);
        Target? target = config.Target is { } fixedTarget ? new Target(fixedTarget.Host, (ushort)fixedTarget.Port) : null;
        var dialer = new Dialer(() => new DialRules(Live.Transport.DialTimeout, Live.Targets));
        var udp = new UdpServing(GetUdpLimits, Udp, Limits);
        _gate = new ListenerGate(() => config.Listeners with { MaxConnections = Live.Listeners.MaxConnections }, _logger);
        _reverse = new ReverseListeners(config.Reverse, _gate, udp, _logger, _relays.Token);
        _streams = new StreamServer(dialer, () => Live.Transport.Kcp.HeaderTimeout, target, udp, _reverse, _logger, _relays.Token) { Limits = Limits, Dials = Ledger.Dials };
        Receivers = Open();
        _network = NetworkWatch.Start(config.Network.Link, FollowLink);
        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Apply(ServerConfig next)
    {
        _changed = KernelLimits.Afford(next);
        KernelLimits.Check(next, _logger);
        _factory!.Log?.Refresh();
        _factory.Budget.Limit = MemoryBudget.LimitOf(next.Transport.Memory);
        _reverse?.ListenAgain();
    }

    /// <summary>No new sessions and streams, which clients are told; those that run end, within the grace; then goodbye.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _streams?.BeginDrain();
        _reverse?.Dispose();
        await (Sessions?.DrainAsync() ?? Task.CompletedTask).ConfigureAwait(false);
        await Drain.WaitAsync(() => (_streams?.Active ?? 0) + (_reverse?.Active ?? 0), Live.Transport.Grace, Hurry, cancellationToken).ConfigureAwait(false);
        if (_relays is not null)
            await _relays.CancelAsync().ConfigureAwait(false);
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        LogUdp(_logger, Udp);
        if (Sessions is not null)
            await Task.WhenAll(Sessions.GetAll().Select(Farewell.LeaveAsync)).ConfigureAwait(false);
        await Reactors.Leave();
        _network?.Dispose();
        CloseReceivers();
        _links?.Dispose();
        _deadlines?.Dispose();
    }

    public override void Dispose()
    {
        _relays?.Dispose();
        base.Dispose();
    }

    IReadOnlyList<Runtime.Pool.ConnectionStatus> ITunnelEnd.GetConnections() => [];

    ListenerStatus? ITunnelEnd.GetListeners() => ListenerStatus.Of(_gate);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            Task keeping = _keeper!.RunAsync(stoppingToken);
            // The keeper listens by now, so that nothing breaks unheard.
            foreach (ServerReceiver receiver in Receivers)
                receiver.Start();
            await keeping.ConfigureAwait(false);
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

    private void CloseReceivers()
    {
        foreach (ServerReceiver receiver in Receivers)
        {
            TrafficLog.LinkClosed(_logger, receiver);
            receiver.Dispose();
        }

        Receivers = [];
        Sessions?.Close();
    }

    /// <summary>The link's MTU may be another one: the sessions' datagrams follow.</summary>
    private void FollowLink()
    {
        int narrowed = 0, smallest = int.MaxValue;
        foreach (PeerSession session in Sessions?.GetAll() ?? [])
        {
            (int before, int now) = session.FollowLink();
            narrowed += now < before ? 1 : 0;
            smallest = Math.Min(smallest, now);
        }

        if (narrowed != 0)
            LogNarrower(_logger, narrowed, smallest);
    }

    private void LogRefused(Protocol.Wire.Endpoint peer)
    {
        if (_refused.Admits())
            LogOutOfMemory(_logger, peer, _factory!.Budget.Used >> 20, _factory.Budget.Limit >> 20);
    }

    private void LogOpened(PeerSession session)
    {
        if (_came.Admits())
            LogSessionOpened(_logger, session.Peer, session.Conv);
    }

    /// <summary>Sessions that made room for others are counted where the cap is; a flood of them is not to be a flood of lines. A defect always is one.</summary>
    private void LogEnded(PeerSession session)
    {
        bool isDefect = session.Defect is not null;
        if (isDefect || (session.CloseReason != Protocol.Mux.CloseReason.Unproven && _went.Admits()))
            TrafficLog.SessionEnded(_logger, session);
    }

    private ServerReceiver[] Open()
    {
        try
        {
            ReplaceableLink[] links = [.. _links!.Open().Select(link => new ReplaceableLink(link))];
            _keeper = new LinkKeeper(_links, links, _logger);
            Sessions = new ServerSessions(_factory!, _links.Carrier, links[0], _deadlines!, () => Live.Transport.Kcp.MaxSessions);
            Sessions.StreamOpened += _streams!.Serve;
            Sessions.OutOfMemory += LogRefused;
            Sessions.SessionOpened += LogOpened;
            Sessions.SessionClosed += LogEnded;
            ServerReceiver[] receivers = [.. links.Select((link, index) => new ServerReceiver(link, Sessions, index))];
            foreach (ServerReceiver receiver in receivers)
                receiver.FecSeen += peer => LogFec(_logger, peer);
            return receivers;
        }
        catch (LinkException e)
        {
            throw new StartException(ExitCode.For(e.Fault), e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Datagrams}")]
    private static partial void LogUdp(ILogger logger, UdpMeter datagrams);

    [LoggerMessage(Level = LogLevel.Information, Message = "session {Conv:x8} of {Peer} began")]
    private static partial void LogSessionOpened(ILogger logger, Protocol.Wire.Endpoint peer, uint conv);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "no session for {Peer}: the sessions hold {Used} MiB, and transport.memory is {Limit} MiB")]
    private static partial void LogOutOfMemory(ILogger logger, Protocol.Wire.Endpoint peer, long used, long limit);

    [LoggerMessage(Level = LogLevel.Critical, Message = "{Problem}")]
    private static partial void LogFatal(ILogger logger, string problem);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "the link's MTU is smaller now: datagrams are {Largest} bytes at most (sessions: {Sessions})")]
    private static partial void LogNarrower(ILogger logger, int sessions, int largest);


    [LoggerMessage(Level = LogLevel.Warning, Message = "{Peer} sends forward error correction packets; this version drops them: turn FEC off there")]
    private static partial void LogFec(ILogger logger, Protocol.Wire.Endpoint peer);
}
