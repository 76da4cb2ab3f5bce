using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.App.Services;
using Tunnel.Links;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Hosting;

/// <summary>The server: a link, the sessions on it, and what their streams ask for.</summary>
public sealed partial class ServerHost(ServerConfig config, ILoggerFactory loggers, IHostApplicationLifetime lifetime) : BackgroundService
{
    private readonly ILogger _logger = loggers.CreateLogger("tunnel");
    private readonly RateLimitedLog _refused = new(loggers.CreateLogger("tunnel"), "sessions refused for want of memory");
    private DeadlineLoop? _deadlines;
    private int _result;
    private StreamServer? _streams;
    private CancellationTokenSource? _relays;
    private SessionFactory? _sessions;
    private ServerLinks? _links;
    private LinkKeeper? _keeper;

    /// <summary>What ended the server, as an exit code.</summary>
    public int GetResult() => _result;

    /// <summary>The sessions and the link that they are on, whichever that is now.</summary>
    public ServerReceiver? Receiver { get; private set; }

    /// <summary>What became of datagrams.</summary>
    public UdpMeter Udp { get; } = new();

    /// <summary>The bounds of datagrams' relays.</summary>
    internal UdpLimits UdpLimits { get; init; } = new();

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        KcpConfig kcp = config.Transport.Kcp;
        KernelLimits.Check(config, _logger);
        _deadlines = new DeadlineLoop();
        _relays = new CancellationTokenSource();
        _sessions = Stack.CreateFactory(config.Transport, new StreamCap(kcp.MaxStreamsTotal));
        _links = new ServerLinks(config, _logger);
        Target? target = config.Target is { } fixedTarget ? new Target(fixedTarget.Host, (ushort)fixedTarget.Port) : null;
        var dialer = new Dialer(config.Transport.DialTimeout, config.Targets);
        var udp = new UdpServing(UdpLimits, Udp);
        _streams = new StreamServer(dialer, kcp.HeaderTimeout, target, udp, _logger, _relays.Token);
        Receiver = Open();
        await base.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await Drain.WaitAsync(() => _streams?.Active ?? 0, config.Transport.Grace, cancellationToken).ConfigureAwait(false);
        if (_relays is not null)
            await _relays.CancelAsync().ConfigureAwait(false);
        await base.StopAsync(cancellationToken).ConfigureAwait(false);
        LogUdp(_logger, Udp);
        if (Receiver is not null)
            await Task.WhenAll(Receiver.GetSessions().Select(s => s.LeaveAsync())).ConfigureAwait(false);
        CloseReceiver();
        _links?.Dispose();
        _deadlines?.Dispose();
    }

    public override void Dispose()
    {
        _relays?.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            Task keeping = _keeper!.RunAsync(stoppingToken);
            // The keeper listens by now, so that nothing breaks unheard.
            Receiver!.Start();
            await keeping.ConfigureAwait(false);
        }
        catch (LinkException e)
        {
            LogFatal(_logger, e.Message);
            _result = ExitCode.For(e.Fault);
            lifetime.StopApplication();
        }
    }

    private void CloseReceiver()
    {
        if (Receiver is null)
            return;
        TrafficLog.LinkClosed(_logger, Receiver);
        Receiver.Dispose();
        Receiver = null;
    }

    private void LogRefused(Protocol.Wire.Endpoint peer)
    {
        if (_refused.Admits())
            LogOutOfMemory(_logger, peer, _sessions!.Budget.Used >> 20, _sessions.Budget.Limit >> 20);
    }

    private ServerReceiver Open()
    {
        try
        {
            var link = new ReplaceableLink(_links!.Open());
            _keeper = new LinkKeeper(_links, link, _logger);
            var receiver = new ServerReceiver(link, _links.CreateCarrier(), _sessions!, _deadlines!, config.Transport.Kcp.MaxSessions);
            receiver.StreamOpened += _streams!.Serve;
            receiver.FecSeen += peer => LogFec(_logger, peer);
            receiver.OutOfMemory += LogRefused;
            receiver.SessionOpened += session => LogSessionOpened(_logger, session.Peer, session.Conv);
            receiver.SessionClosed += session => TrafficLog.SessionEnded(_logger, session);
            return receiver;
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

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Peer} sends forward error correction packets; this version drops them: turn FEC off there")]
    private static partial void LogFec(ILogger logger, Protocol.Wire.Endpoint peer);
}
