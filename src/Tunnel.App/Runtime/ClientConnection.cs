using System.Net;
using Microsoft.Extensions.Logging;
using Tunnel.App.Runtime.Pool;
using Tunnel.Links;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>
/// One of a client's connections: opens a link, makes a session, checks that the server answers, waits until the session ends, and
/// begins again after a pause that grows. While the server is away it holds at most one link and one session, and one more whose
/// streams go on while another has taken its place.
/// </summary>
public sealed class ClientConnection
{
    private readonly PoolServer _server;
    private readonly ConnectionParts _parts;
    private readonly IConnectionOwner _owner;
    private readonly ClientConnectionOptions _options;
    private readonly ConnectionLog _log;
    private readonly RetryPause _pause;
    private readonly LiveSessions _sessions;
    private readonly SuccessorWish _wish = new();
    private readonly CancellationTokenSource _ended = new();
    private int _networkChanges;
    // Of those, the ones that there had been when the way of the latest session was looked for.
    private int _changesBefore;

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
        _log = new ConnectionLog(parts.Logger, index);
        _pause = new RetryPause(Random.Shared, () => owner.IsWanted);
        _sessions = new LiveSessions(parts.Logger);
    }

    public int Index { get; }

    /// <summary>The server, as the file calls it.</summary>
    public string ServerName => _server.Spec.Name;

    /// <summary>The session that carries new streams; null while there is none.</summary>
    public PeerSession? Session => _sessions.Current;

    /// <summary>The last session with its link, which may have ended.</summary>
    public ClientReceiver? Receiver { get; private set; }

    /// <summary>A session that takes no new streams and ends with those that it has; null when there is none.</summary>
    public PeerSession? Drained => _sessions.Drained;

    /// <summary>Sessions that came up so far.</summary>
    public int Connects { get; private set; }

    internal PoolServer Server => _server;

    /// <summary>
    /// This host's network has changed: the session may need another way, and so may those that it has replaced, whose streams go on; or the
    /// next try may succeed.
    /// </summary>
    public void OnNetworkChanged()
    {
        // Before it is asked which sessions there are: one that has just been begun sees it.
        Interlocked.Increment(ref _networkChanges);
        _pause.Hurry();
        foreach (ClientReceiver receiver in _sessions.GetAll())
            FindWay(receiver);
    }

    private void FindWay(ClientReceiver receiver)
    {
        try
        {
            receiver.FindWay();
            (int before, int now) = receiver.Session.FollowLink();
            if (now < before)
                _log.Narrower(now);
        }
        catch (LinkException)
        {
            // No way now. The session lives until its keepalive gives up; whatever brings the way back is another change.
        }
    }

    private void OnBroke(LinkException e)
    {
        _log.Problem(e.Message);
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
        if (_parts.FixedPort || !_sessions.HasOnlyOne || !_wish.TryMake(unlessHeard))
            return false;
        if (unlessHeard)
            _server.OnLost(this);
        _log.Replaced(ServerName, reason);
        return true;
    }

    /// <summary>The connection is not wanted any more: its streams go on, and it ends with them.</summary>
    internal void Retire()
    {
        _ended.Cancel();
        _wish.Wake();
    }

    /// <summary>Runs until cancelled or retired, or until the link says that trying again cannot help (privilege, a missing library).</summary>
    /// <exception cref="LinkException">Trying again cannot help.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stop, _ended.Token);
        using CancellationTokenRegistration leave = stop.Register(_sessions.LeaveAll);
        while (!ends.IsCancellationRequested)
        {
            if (await TryConnectAsync(ends.Token).ConfigureAwait(false) is { } receiver)
                await ServeAsync(receiver, stop, ends.Token).ConfigureAwait(false);
            await _pause.WaitAsync(ends.Token).ConfigureAwait(false);
        }

        _server.Release(this);
        await _sessions.Draining.ConfigureAwait(false);
    }

    /// <summary>A session whose server has answered, with its link; null when there is none, which has been said.</summary>
    /// <exception cref="LinkException">Trying again cannot help.</exception>
    private async Task<ClientReceiver?> TryConnectAsync(CancellationToken cancel)
    {
        try
        {
            return await _server.Starts.RunAsync(() => ConnectAsync(cancel), cancel).ConfigureAwait(false);
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
        _changesBefore = Volatile.Read(ref _networkChanges);
        IPEndPoint address = await _server.NextAddressAsync(this, cancel).ConfigureAwait(false);
        OpenedLink opened = await _parts.Open(address, Index, cancel).ConfigureAwait(false);
        var receiver = new ClientReceiver(opened, _parts.Sessions, _parts.Deadlines, Index) { Serve = _options.Serve };
        try
        {
            receiver.FecSeen += _log.Fec;
            receiver.Link.Broke += OnBroke;
            receiver.Start();
            using CancellationTokenRegistration registration = cancel.Register(() => _ = Farewell.LeaveAsync(receiver.Session));
            await Greeting.RunAsync(receiver.Session, _options, _owner.IsWanted).ConfigureAwait(false);
            _server.OnAnswered(this);
            return receiver;
        }
        catch
        {
            await Reactors.Leave();
            TrafficLog.Defect(_parts.Logger, receiver.Session);
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
            await Task.WhenAny(receiver.Closed, receiver.Drained, _wish.Made).ConfigureAwait(false);
            if (receiver.Closed.IsCompleted)
                break;
            if (receiver.Drained.IsCompleted)
                OnDraining(receiver);
            if (receiver.Drained.IsCompleted && _parts.FixedPort)
                await receiver.Closed.ConfigureAwait(false);
            ClientReceiver? successor = await SucceedAsync(receiver, ends).ConfigureAwait(false);
            _wish.Clear();
            if (successor is null)
                continue;
            _sessions.Drain(receiver, stop);
            receiver = successor;
            Begin(receiver, stop);
            up = Environment.TickCount64;
        }

        bool ended = receiver.Closed.IsCompleted;
        if (!ended)
            _sessions.Drain(receiver, stop);
        _sessions.Retire();
        _owner.OnChanged(this);
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
                await Task.WhenAny(receiver.Closed, _pause.WaitAsync(ends)).ConfigureAwait(false);
        }

        return null;
    }

    private bool IsSettled(ClientReceiver receiver, CancellationToken ends) => ends.IsCancellationRequested || receiver.Closed.IsCompleted
        || !_wish.Holds(isHeard: receiver.Session.Health is { IsSilent: false });

    /// <summary>The server takes no new streams: the session goes on beside the next one until its streams have ended.</summary>
    private void OnDraining(ClientReceiver receiver)
    {
        _wish.Insist();
        _server.OnLost(this);
        _owner.OnDraining(this);
        _log.Draining(receiver.Session.Peer);
    }

    private static async Task DiscardAsync(ClientReceiver receiver)
    {
        using (receiver)
        {
            await Farewell.LeaveAsync(receiver.Session).ConfigureAwait(false);
            await Reactors.Leave();
        }
    }

    private void Begin(ClientReceiver receiver, CancellationToken stop)
    {
        Receiver = receiver;
        _sessions.Begin(receiver);
        if (Volatile.Read(ref _networkChanges) != _changesBefore)
            FindWay(receiver);
        Connects++;
        _pause.Reset();
        _log.Connected(receiver.Session.Peer);
        _owner.OnChanged(this);
        _options.SessionUp?.Invoke(Index, receiver.Session);
        // Whoever stopped this meanwhile has not seen the session.
        if (stop.IsCancellationRequested)
            _sessions.LeaveAll();
    }

    private void End(ClientReceiver receiver, long upMilliseconds, CancellationToken stop)
    {
        // Once; a server that forgets what has just begun is not to be asked again and again without a pause.
        if (receiver.Session.CloseReason == CloseReason.PeerForgot && upMilliseconds > 1000)
            _pause.SkipNext();
        if (receiver.Session.CloseReason == CloseReason.KeepAliveTimeout)
            _server.OnLost(this);
        if (!stop.IsCancellationRequested)
            _log.Lost(receiver.Session.CloseReason);
        _sessions.End(receiver);
    }

    private void Fail(string problem)
    {
        _server.OnFailed(this);
        _log.Problem(problem);
    }
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
