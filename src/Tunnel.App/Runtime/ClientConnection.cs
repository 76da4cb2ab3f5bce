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

    private readonly Func<CancellationToken, ValueTask<OpenedLink>> _open;
    private readonly SessionFactory _sessions;
    private readonly DeadlineLoop _deadlines;
    private readonly ClientConnectionOptions _options;
    private readonly ILogger _logger;
    private readonly BackOff _backOff = new(Random.Shared);
    private readonly Action<ClientConnection> _changed;
    private CancellationTokenSource _retry = new();
    private string _lastProblem = "";

    /// <param name="index">Which of the client's connections this is.</param>
    /// <param name="open">Finds the way to the server and opens a link.</param>
    /// <param name="sessions">Makes the session.</param>
    /// <param name="deadlines">Wakes it.</param>
    /// <param name="options">How the server is greeted.</param>
    /// <param name="changed">Called when <see cref="Session"/> came or went.</param>
    /// <param name="logger">Where a user sees what is wrong.</param>
    public ClientConnection(
        int index,
        Func<CancellationToken, ValueTask<OpenedLink>> open,
        SessionFactory sessions,
        DeadlineLoop deadlines,
        ClientConnectionOptions options,
        Action<ClientConnection> changed,
        ILogger logger)
    {
        Index = index;
        _open = open;
        _sessions = sessions;
        _deadlines = deadlines;
        _options = options;
        _changed = changed;
        _logger = logger;
    }

    public int Index { get; }

    /// <summary>The session that carries new streams; null while there is none.</summary>
    public PeerSession? Session { get; private set; }

    /// <summary>The link that is open now, for its counters.</summary>
    public LinkReceiver? Receiver { get; private set; }

    /// <summary>Sessions that came up so far.</summary>
    public int Connects { get; private set; }

    /// <summary>Something changed that may make the next try succeed: do not wait for it.</summary>
    public void RetryNow() => _retry.Cancel();

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
        receiver.Broken += e => Complain(e.Message);
        receiver.Start();
        using CancellationTokenRegistration registration =
            stop.Register(() => receiver.Session.Close(Protocol.Mux.CloseReason.Local));
        await GreetAsync(receiver.Session).ConfigureAwait(false);
        SetSession(receiver.Session);
        await receiver.Closed.ConfigureAwait(false);
        SetSession(null);
        TrafficLog.SessionEnded(_logger, receiver.Session);
        TrafficLog.LinkClosed(_logger, receiver);
        if (!stop.IsCancellationRequested)
            LogLost(_logger, Index, receiver.Session.CloseReason);
    }

    /// <summary>The server has to answer before the session carries anything.</summary>
    private async Task GreetAsync(PeerSession session)
    {
        if (_options.Ping)
            await StreamPing.RunAsync(session, _options.Header, ProbeTimeout).ConfigureAwait(false);
        if (_options.AnnouncedFlags.Length != 0)
            await AnnounceFlagsAsync(session).ConfigureAwait(false);
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

    private async Task PauseAsync(CancellationToken stop)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, _retry.Token);
        await Task.Delay(_backOff.Next(), either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_retry.IsCancellationRequested)
            _retry = new CancellationTokenSource();
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
