using System.Net;
using Microsoft.Extensions.Logging;
using Tunnel.App.Runtime.Pool;
using Tunnel.Links;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>
/// One of a client's connections: opens a link, makes a session, checks that the server answers, waits until the session ends, and
/// begins again after a pause that grows. While the server is away it holds at most one link and one session, and one more whose
/// streams go on while another has taken its place.
/// </summary>
public sealed partial class ClientConnection
{
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(5);

    /// <summary>While somebody waits for a session: a try that fails must not be what a server that comes back has to wait for.</summary>
    private static readonly TimeSpan ShortProbeTimeout = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan PauseStep = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan DrainStep = TimeSpan.FromMilliseconds(250);

    private readonly PoolServer _server;
    private readonly ConnectionParts _parts;
    private readonly IConnectionOwner _owner;
    private readonly ClientConnectionOptions _options;
    private readonly ILogger _logger;
    private readonly RateLimitedLog _lost;
    private readonly BackOff _backOff = new(Random.Shared);
    private readonly CancellationTokenSource _ended = new();
    private readonly Lock _lock = new();
    private volatile TaskCompletionSource _replaced = NewSignal();
    private Task _draining = Task.CompletedTask;
    private readonly List<ClientReceiver> _alive = [];
    private volatile bool _retryNow;
    private volatile bool _unlessHeard;
    private bool _forgotten;
    private string _lastProblem = "";

    /// <param name="index">Which of the client's connections this is; no other that lives has the same.</param>
    /// <param name="server">Where it goes.</param>
    /// <param name="parts">What all connections are made with.</param>
    /// <param name="owner">Is told when <see cref="Session"/> came or went.</param>
    internal ClientConnection(int index, PoolServer server, ConnectionParts parts, IConnectionOwner owner)
    {
        Index = index;
        _server = server;
        _parts = parts;
        _owner = owner;
        _options = parts.Options;
        _logger = parts.Logger;
        _lost = new RateLimitedLog(_logger, "sessions that ended");
    }

    public int Index { get; }

    /// <summary>The server, as the file calls it.</summary>
    public string ServerName => _server.Spec.Name;

    /// <summary>The session that carries new streams; null while there is none.</summary>
    public PeerSession? Session { get; private set; }

    /// <summary>The link that is open now, for its counters.</summary>
    public ClientReceiver? Receiver { get; private set; }

    /// <summary>A session that takes no new streams and ends with those that it has; null when there is none.</summary>
    public PeerSession? Drained { get; private set; }

    /// <summary>Sessions that came up so far.</summary>
    public int Connects { get; private set; }

    internal PoolServer Server => _server;

    /// <summary>
    /// This host's network has changed: the session may need another way, and so may those that it has replaced, whose streams go on; or the
    /// next try may succeed.
    /// </summary>
    public void OnNetworkChanged()
    {
        _retryNow = true;
        foreach (ClientReceiver receiver in GetAlive())
            FindWay(receiver);
    }

    private void FindWay(ClientReceiver receiver)
    {
        try
        {
            receiver.FindWay();
            (int before, int now) = receiver.Session.FollowLink();
            if (now < before)
                LogNarrower(_logger, Index, now);
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

    /// <summary>
    /// Another session is to take the place of the one there is, which goes on until that is up, and its streams after that. False when
    /// there is none, or a successor is on its way, or an earlier one is not drained yet, or the port is fixed: two cannot have it.
    /// </summary>
    /// <param name="reason">For the log.</param>
    /// <param name="unlessHeard">The session is silent: no successor is needed if it is heard before that is up.</param>
    internal bool TryReplace(string reason, bool unlessHeard = false)
    {
        lock (_lock)
        {
            if (Session is null || Drained is not null || _parts.FixedPort || !_replaced.TrySetResult())
                return false;
            _unlessHeard = unlessHeard;
        }

        if (unlessHeard)
            _server.OnLost(this);
        LogReplaced(_logger, Index, ServerName, reason);
        return true;
    }

    /// <summary>The connection is not wanted any more: its streams go on, and it ends with them.</summary>
    internal void Retire()
    {
        _ended.Cancel();
        _replaced.TrySetResult();
    }

    /// <summary>Runs until cancelled or retired, or until the link says that trying again cannot help (privilege, a missing library).</summary>
    /// <exception cref="LinkException">Trying again cannot help.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stop, _ended.Token);
        using CancellationTokenRegistration leave = stop.Register(LeaveAll);
        while (!ends.IsCancellationRequested)
        {
            if (await TryConnectAsync(ends.Token).ConfigureAwait(false) is { } receiver)
                await ServeAsync(receiver, stop, ends.Token).ConfigureAwait(false);
            await PauseAsync(ends.Token).ConfigureAwait(false);
        }

        _server.Release(this);
        await _draining.ConfigureAwait(false);
    }

    /// <summary>A session whose server has answered, with its link; null when there is none, which has been said.</summary>
    /// <exception cref="LinkException">Trying again cannot help.</exception>
    private async Task<ClientReceiver?> TryConnectAsync(CancellationToken cancel)
    {
        try
        {
            return await ConnectAsync(cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (cancel.IsCancellationRequested && e is not LinkException)
        {
            // It was broken off, and not by the server.
        }
        catch (LinkException e) when (e.Fault is LinkFault.Network or LinkFault.PortInUse or LinkFault.Other)
        {
            Fail(e.Message);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or TimeoutException)
        {
            Fail(e.Message);
        }

        return null;
    }

    private async Task<ClientReceiver> ConnectAsync(CancellationToken cancel)
    {
        IPEndPoint address = await _server.NextAddressAsync(this, cancel).ConfigureAwait(false);
        OpenedLink opened = await _parts.Open(address, Index, cancel).ConfigureAwait(false);
        var receiver = new ClientReceiver(opened, _parts.Sessions, _parts.Deadlines) { Serve = _options.Serve };
        try
        {
            receiver.FecSeen += peer => LogFec(_logger, peer);
            receiver.Link.Broke += OnBroke;
            receiver.Start();
            using CancellationTokenRegistration registration = cancel.Register(() => _ = Farewell.LeaveAsync(receiver.Session));
            await GreetAsync(receiver.Session).ConfigureAwait(false);
            _server.OnAnswered(this);
            return receiver;
        }
        catch
        {
            TrafficLog.Defect(_logger, receiver.Session);
            receiver.Dispose();
            throw;
        }
    }

    /// <summary>Until the session ends, and those that took its place, or until this connection is not wanted any more.</summary>
    private async Task ServeAsync(ClientReceiver receiver, CancellationToken stop, CancellationToken ends)
    {
        Begin(receiver, stop);
        long up = Environment.TickCount64;
        // Asked after the signal is new: whoever retires this cancels first, and signals then.
        while (!ends.IsCancellationRequested)
        {
            await Task.WhenAny(receiver.Closed, receiver.Drained, _replaced.Task).ConfigureAwait(false);
            if (receiver.Closed.IsCompleted)
                break;
            if (receiver.Drained.IsCompleted)
                OnDraining(receiver);
            if (receiver.Drained.IsCompleted && _parts.FixedPort)
                await receiver.Closed.ConfigureAwait(false);
            ClientReceiver? successor = await SucceedAsync(receiver, ends).ConfigureAwait(false);
            _replaced = NewSignal();
            if (successor is null)
                continue;
            Drain(receiver, stop);
            receiver = successor;
            Begin(receiver, stop);
            up = Environment.TickCount64;
        }

        bool ended = receiver.Closed.IsCompleted;
        if (!ended)
            Drain(receiver, stop);
        SetSession(null);
        if (ended)
            End(receiver, Environment.TickCount64 - up, stop);
    }

    /// <summary>
    /// Tries to get a successor until there is one; null when none is needed any more: the session has ended, or was heard again, or the
    /// connection is not wanted.
    /// </summary>
    private async Task<ClientReceiver?> SucceedAsync(ClientReceiver receiver, CancellationToken ends)
    {
        using var attempt = CancellationTokenSource.CreateLinkedTokenSource(ends);
        while (!IsSettled(receiver, ends))
        {
            Task<ClientReceiver?> connecting = TryConnectAsync(attempt.Token);
            // A server that ends the session is there: the next try reaches it at once, and not with this one's next retransmission.
            if (await Task.WhenAny(connecting, receiver.Closed).ConfigureAwait(false) != connecting)
                await attempt.CancelAsync().ConfigureAwait(false);
            ClientReceiver? successor = await connecting.ConfigureAwait(false);
            if (successor is not null && !IsSettled(receiver, ends))
                return successor;
            if (successor is not null)
                await DiscardAsync(successor).ConfigureAwait(false);
            else if (!IsSettled(receiver, ends))
                await Task.WhenAny(receiver.Closed, PauseAsync(ends)).ConfigureAwait(false);
        }

        return null;
    }

    private bool IsSettled(ClientReceiver receiver, CancellationToken ends) => ends.IsCancellationRequested || receiver.Closed.IsCompleted
        || (_unlessHeard && receiver.Session.Health is { IsSilent: false });

    /// <summary>The server takes no new streams: the session goes on beside the next one until its streams have ended.</summary>
    private void OnDraining(ClientReceiver receiver)
    {
        lock (_lock)
            _unlessHeard = false;
        _server.OnLost(this);
        _owner.OnDraining(this);
        LogDraining(_logger, Index, receiver.Session.Peer);
    }

    private static async Task DiscardAsync(ClientReceiver receiver)
    {
        using (receiver)
            await Farewell.LeaveAsync(receiver.Session).ConfigureAwait(false);
    }

    private void Begin(ClientReceiver receiver, CancellationToken stop)
    {
        lock (_lock)
            _alive.Add(receiver);
        Receiver = receiver;
        SetSession(receiver.Session);
        // Whoever stopped this meanwhile has not seen the session.
        if (stop.IsCancellationRequested)
            LeaveAll();
    }

    private void End(ClientReceiver receiver, long upMilliseconds, CancellationToken stop)
    {
        // Once; a server that forgets what has just begun is not to be asked again and again without a pause.
        _forgotten = receiver.Session.CloseReason == Protocol.Mux.CloseReason.PeerForgot && upMilliseconds > 1000;
        if (receiver.Session.CloseReason == Protocol.Mux.CloseReason.KeepAliveTimeout)
            _server.OnLost(this);
        if (!stop.IsCancellationRequested && _lost.Admits())
            LogLost(_logger, Index, receiver.Session.CloseReason);
        Forget(receiver);
    }

    /// <summary>The session takes no new streams, and ends with those that it has.</summary>
    private void Drain(ClientReceiver receiver, CancellationToken stop)
    {
        lock (_lock)
            Drained = receiver.Session;
        _draining = Task.WhenAll(_draining, DrainAsync(receiver, stop));
    }

    private async Task DrainAsync(ClientReceiver receiver, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested && !receiver.Closed.IsCompleted && receiver.Session.StreamCount != 0)
            await Task.WhenAny(receiver.Closed, Task.Delay(DrainStep, CancellationToken.None)).ConfigureAwait(false);
        await Farewell.LeaveAsync(receiver.Session).ConfigureAwait(false);
        await receiver.Closed.ConfigureAwait(false);
        Forget(receiver);
        lock (_lock)
            Drained = ReferenceEquals(Drained, receiver.Session) ? null : Drained;
    }

    private void Forget(ClientReceiver receiver)
    {
        TrafficLog.SessionEnded(_logger, receiver.Session);
        TrafficLog.LinkClosed(_logger, receiver);
        lock (_lock)
            _alive.Remove(receiver);
        receiver.Dispose();
    }

    private void LeaveAll()
    {
        foreach (ClientReceiver receiver in GetAlive())
            _ = Farewell.LeaveAsync(receiver.Session);
    }

    private ClientReceiver[] GetAlive()
    {
        lock (_lock)
            return [.. _alive];
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
    /// speaks the same stream header.
    /// </summary>
    private async Task IntroduceAsync(PeerSession session)
    {
        TimeSpan timeout = _owner.IsWanted ? ShortProbeTimeout : ProbeTimeout;
        if (_options.Header != HeaderFormat.V1)
            // A peer that does not know this format may wait for more of it, so nothing waits for the peer. A server of ours answers
            // this before PING, as it came before.
            _ = TryLearnAsync(session, timeout);
        else if (await CapabilityExchange.RunAsync(session, timeout).ConfigureAwait(false))
            return;
        await StreamPing.RunAsync(session, _options.Header, timeout).ConfigureAwait(false);
    }

    private static async Task TryLearnAsync(PeerSession session, TimeSpan timeout)
    {
        try
        {
            await CapabilityExchange.RunAsync(session, timeout).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            // Whether the peer is there is PING's to find out.
        }
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
        lock (_lock)
            Session = session;
        if (session is not null)
        {
            Connects++;
            _backOff.Reset();
            _lastProblem = "";
            LogConnected(_logger, Index, session.Peer);
        }

        _owner.OnChanged(this);
        if (session is not null)
            _options.SessionUp?.Invoke(Index, session);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

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
            if (waited >= pause || waited >= shortest && (_retryNow || _owner.IsWanted))
                return;
            await Task.Delay(PauseStep, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Fail(string problem)
    {
        _server.OnFailed(this);
        Complain(problem);
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

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "connection {Index}: {Server} is about to stop and takes no new streams; those that run go on, and others wait for another session")]
    private static partial void LogDraining(ILogger logger, int index, Protocol.Wire.Endpoint server);

    [LoggerMessage(Level = LogLevel.Warning, Message = "connection {Index}: the session ended ({Reason}); connecting again")]
    private static partial void LogLost(ILogger logger, int index, Protocol.Mux.CloseReason reason);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "connection {Index}: another session with {Server} is to replace this one ({Reason}); streams that it has go on")]
    private static partial void LogReplaced(ILogger logger, int index, string server, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "connection {Index}: {Problem}; trying again")]
    private static partial void LogProblem(ILogger logger, int index, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "connection {Index}: the link's MTU is smaller now: datagrams are {Largest} bytes at most")]
    private static partial void LogNarrower(ILogger logger, int index, int largest);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Peer} sends forward error correction packets; this version drops them: turn FEC off there")]
    private static partial void LogFec(ILogger logger, Protocol.Wire.Endpoint peer);
}

/// <summary>How a client greets its server.</summary>
/// <param name="Ping">Send PING and wait for PONG before the session is used (paqet); false where the peer knows no such thing.</param>
/// <param name="AnnouncedFlags">TCP flags that the server should wear towards this client; empty: do not announce.</param>
/// <param name="Header">How the server writes and reads stream headers.</param>
public sealed record ClientConnectionOptions(bool Ping, ushort[] AnnouncedFlags, HeaderFormat Header)
{
    /// <summary>Told of each session that is up, and of which connection's it is; returns at once.</summary>
    public Action<int, PeerSession>? SessionUp { get; init; }

    /// <summary>Takes charge of a stream that the server opened, whose header has been read.</summary>
    public Func<TunnelStream, StreamHeader, Task>? Serve { get; init; }
}

/// <summary>What all of a client's connections are made with.</summary>
/// <param name="Open">Opens a link to an address for the connection of that number.</param>
/// <param name="Sessions">Makes the sessions.</param>
/// <param name="Deadlines">Wakes them.</param>
/// <param name="Options">How servers are greeted.</param>
/// <param name="FixedPort">The connections' own ports are told by the file, one each.</param>
/// <param name="Logger">Where a user sees what is wrong.</param>
public sealed record ConnectionParts(
    Func<IPEndPoint, int, CancellationToken, ValueTask<OpenedLink>> Open,
    SessionFactory Sessions,
    DeadlineLoop Deadlines,
    ClientConnectionOptions Options,
    bool FixedPort,
    ILogger Logger);
