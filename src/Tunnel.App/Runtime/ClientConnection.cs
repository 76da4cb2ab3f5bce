using Microsoft.Extensions.Logging;
using Tunnel.Links;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>
/// One of a client's connections: opens a link, makes a session, checks that the server answers, waits until the session ends, and
/// begins again after a pause that grows. While the server is away it holds at most one link and one session.
/// </summary>
public sealed partial class ClientConnection
{
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(5);

    /// <summary>While somebody waits for a session: a try that fails must not be what a server that comes back has to wait for.</summary>
    private static readonly TimeSpan ShortProbeTimeout = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan PauseStep = TimeSpan.FromMilliseconds(50);

    private readonly Func<CancellationToken, ValueTask<OpenedLink>> _open;
    private readonly SessionFactory _sessions;
    private readonly DeadlineLoop _deadlines;
    private readonly ClientConnectionOptions _options;
    private readonly ILogger _logger;
    private readonly BackOff _backOff = new(Random.Shared);
    private readonly Action<ClientConnection> _changed;
    private readonly Func<bool> _isWanted;
    private volatile bool _retryNow;
    private bool _forgotten;
    private string _lastProblem = "";

    /// <param name="index">Which of the client's connections this is.</param>
    /// <param name="open">Finds the way to the server and opens a link.</param>
    /// <param name="sessions">Makes the session.</param>
    /// <param name="deadlines">Wakes it.</param>
    /// <param name="options">How the server is greeted.</param>
    /// <param name="changed">Called when <see cref="Session"/> came or went.</param>
    /// <param name="isWanted">Somebody waits for a session now.</param>
    /// <param name="logger">Where a user sees what is wrong.</param>
    public ClientConnection(
        int index,
        Func<CancellationToken, ValueTask<OpenedLink>> open,
        SessionFactory sessions,
        DeadlineLoop deadlines,
        ClientConnectionOptions options,
        Action<ClientConnection> changed,
        Func<bool> isWanted,
        ILogger logger)
    {
        Index = index;
        _open = open;
        _sessions = sessions;
        _deadlines = deadlines;
        _options = options;
        _changed = changed;
        _isWanted = isWanted;
        _logger = logger;
    }

    public int Index { get; }

    /// <summary>The session that carries new streams; null while there is none.</summary>
    public PeerSession? Session { get; private set; }

    /// <summary>The link that is open now, for its counters.</summary>
    public ClientReceiver? Receiver { get; private set; }

    /// <summary>Sessions that came up so far.</summary>
    public int Connects { get; private set; }

    /// <summary>This host's network has changed: the session may need another way, or the next try may succeed.</summary>
    public void OnNetworkChanged()
    {
        _retryNow = true;
        try
        {
            (Session is null ? null : Receiver)?.FindWay();
        }
        catch (LinkException)
        {
            // No way now. The session lives until its keepalive gives up; whatever brings the way back is another change.
        }
    }

    private void OnBroke(LinkException e)
    {
        Complain(e.Message);
        // What the network's change was may have been looked at before the link noticed it.
        _ = Task.Run(OnNetworkChanged);
    }

    /// <summary>Runs until cancelled, or until the link says that trying again cannot help (privilege, a missing library).</summary>
    /// <exception cref="LinkException">Trying again cannot help.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await ConnectOnceAsync(stop).ConfigureAwait(false);
            }
            catch (LinkException e) when (e.Fault is LinkFault.Network or LinkFault.PortInUse or LinkFault.Other)
            {
                Complain(e.Message);
            }
            catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or TimeoutException)
            {
                Complain(e.Message);
            }

            await PauseAsync(stop).ConfigureAwait(false);
        }
    }

    private async Task ConnectOnceAsync(CancellationToken stop)
    {
        OpenedLink opened = await _open(stop).ConfigureAwait(false);
        using var receiver = new ClientReceiver(opened, _sessions, _deadlines);
        Receiver = receiver;
        receiver.FecSeen += peer => LogFec(_logger, peer);
        receiver.Link.Broke += OnBroke;
        receiver.Start();
        using CancellationTokenRegistration registration = stop.Register(() => _ = receiver.Session.LeaveAsync());
        await GreetAsync(receiver.Session).ConfigureAwait(false);
        SetSession(receiver.Session);
        long up = Environment.TickCount64;
        await receiver.Closed.ConfigureAwait(false);
        SetSession(null);
        // Once; a server that forgets what has just begun is not to be asked again and again without a pause.
        _forgotten = receiver.Session.CloseReason == Protocol.Mux.CloseReason.PeerForgot && Environment.TickCount64 - up > 1000;
        TrafficLog.SessionEnded(_logger, receiver.Session);
        TrafficLog.LinkClosed(_logger, receiver);
        if (!stop.IsCancellationRequested)
            LogLost(_logger, Index, receiver.Session.CloseReason);
    }

    /// <summary>The server has to answer before the session carries anything.</summary>
    private async Task GreetAsync(PeerSession session)
    {
        if (_options.Ping)
            await IntroduceAsync(session).ConfigureAwait(false);
        if (_options.AnnouncedFlags.Length != 0)
            await AnnounceFlagsAsync(session).ConfigureAwait(false);
    }

    /// <summary>
    /// Asks for the peer's capabilities. A stock peer closes that stream, which shows that it is there; PING then shows that it
    /// speaks the same stream header. The other formats have no word for capabilities.
    /// </summary>
    private async Task IntroduceAsync(PeerSession session)
    {
        TimeSpan timeout = _isWanted() ? ShortProbeTimeout : ProbeTimeout;
        if (_options.Header == HeaderFormat.V1)
        {
            var question = new StreamHeader(StreamRequest.Capabilities, Capabilities: session.OwnCapabilities);
            StreamHeader? answer = await StreamExchange.RunAsync(session, question, HeaderFormat.V1, timeout).ConfigureAwait(false);
            if (answer?.Request == StreamRequest.Capabilities)
            {
                session.Announced(answer.Capabilities);
                return;
            }
        }

        await StreamPing.RunAsync(session, _options.Header, timeout).ConfigureAwait(false);
    }

    private async Task AnnounceFlagsAsync(PeerSession session)
    {
        if (session.OpenStream() is not { } stream)
            return;
        var header = new StreamHeader(StreamRequest.Flags, default, _options.AnnouncedFlags);
        await HeaderExchange.SendAsync(stream, header, _options.Header).ConfigureAwait(false);
        stream.CloseWrite();
    }

    private void SetSession(PeerSession? session)
    {
        Session = session;
        if (session is not null)
        {
            Connects++;
            _backOff.Reset();
            _lastProblem = "";
            LogConnected(_logger, Index, session.Peer);
        }

        _changed(this);
    }

    /// <summary>
    /// The pause before the next try. Whoever waits for a session makes it short, and a server that is there but has lost the
    /// session makes it end at once.
    /// </summary>
    private async Task PauseAsync(CancellationToken stop)
    {
        long start = Environment.TickCount64;
        TimeSpan pause = _forgotten ? TimeSpan.Zero : _backOff.Next();
        TimeSpan shortest = _backOff.Shortest();
        _forgotten = _retryNow = false;
        while (!stop.IsCancellationRequested)
        {
            TimeSpan waited = TimeSpan.FromMilliseconds(Environment.TickCount64 - start);
            if (waited >= pause || waited >= shortest && (_retryNow || _isWanted()))
                return;
            await Task.Delay(PauseStep, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // The same problem every half minute would only hide the others.
    private void Complain(string problem)
    {
        if (problem == _lastProblem)
            return;
        _lastProblem = problem;
        LogProblem(_logger, Index, problem);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "connection {Index}: session with {Server} is up")]
    private static partial void LogConnected(ILogger logger, int index, Protocol.Wire.Endpoint server);

    [LoggerMessage(Level = LogLevel.Warning, Message = "connection {Index}: the session ended ({Reason}); connecting again")]
    private static partial void LogLost(ILogger logger, int index, Protocol.Mux.CloseReason reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "connection {Index}: {Problem}; trying again")]
    private static partial void LogProblem(ILogger logger, int index, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Peer} sends forward error correction packets; this version drops them: turn FEC off there")]
    private static partial void LogFec(ILogger logger, Protocol.Wire.Endpoint peer);
}

/// <summary>How a client greets its server.</summary>
/// <param name="Ping">Send PING and wait for PONG before the session is used (paqet); false where the peer knows no such thing.</param>
/// <param name="AnnouncedFlags">TCP flags that the server should wear towards this client; empty: do not announce.</param>
/// <param name="Header">How the server writes and reads stream headers.</param>
public sealed record ClientConnectionOptions(bool Ping, ushort[] AnnouncedFlags, HeaderFormat Header);
