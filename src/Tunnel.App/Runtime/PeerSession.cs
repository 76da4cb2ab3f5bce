using Tunnel.App.Runtime.Pool;
using Tunnel.App.Runtime.Traffic;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>
/// Runs one session over a path. Whoever has work enters (a reactor for a link or a socket, the deadlines' thread, the pool),
/// feeds the session, and leaves; leaving sends what there is to send and then, outside the lock, tells the streams.
/// </summary>
public sealed class PeerSession
{
    /// <summary>A busy host is seldom that late; one that is held up is.</summary>
    private static readonly TimeSpan HeldUp = TimeSpan.FromMilliseconds(10);

    private readonly Lock _lock = new();
    private readonly Session _session;
    private readonly PeerPath _path;
    private readonly DatagramSender _sender;
    private readonly DeadlineLoop _deadlines;
    private readonly ISessionOwner _owner;
    private volatile bool _peerDrains;
    private bool _closeReported;
    private long _memory;

    public PeerSession(Session session, PeerPath path, Endpoint peer, GuardStamp? guard, DeadlineLoop deadlines, ISessionOwner owner)
    {
        _session = session;
        _path = path;
        Peer = peer;
        _sender = new DatagramSender(path, guard, peer);
        _deadlines = deadlines;
        _owner = owner;
        Age = new LinkedListNode<PeerSession>(this);
        Alarm = new Alarm(this);
        Streams = new SessionStreams(this, session);
        session.Limit(_sender.AskLink(), MonotonicClock.Now);
        TunnelEvents.Log.SessionStarted(this);
    }

    public Endpoint Peer { get; }

    public uint Conv => _session.Kcp.Conv;

    public bool IsClosed => _session.IsClosed;

    /// <summary>The session opens no more streams, however many end.</summary>
    public bool IsSpent => _session.Mux.IsSpent;

    public CloseReason CloseReason => _session.Mux.CloseReason;

    /// <summary>Streams that are open now.</summary>
    public int StreamCount
    {
        get
        {
            lock (_lock)
                return _session.Mux.StreamCount;
        }
    }

    /// <summary>Some stream's ends have not both said their last word. What of the others is still read here outlives the session.</summary>
    public bool HasUnfinishedStreams
    {
        get
        {
            lock (_lock)
                return _session.Mux.HasUnfinished;
        }
    }

    /// <summary>Where this session's memory is counted.</summary>
    public MemoryBudget Budget { get; init; } = MemoryBudget.Unlimited;

    /// <summary>Where what is sent is told of; null: nowhere.</summary>
    public DatagramLog? Log
    {
        get => _sender.Log;
        init => _sender.Log = value;
    }

    /// <summary>How long datagrams may be is found out; false: it is configured.</summary>
    public bool ProbesPath { get; init; }

    /// <summary>When it was made.</summary>
    public Instant OpenedAt { get; } = MonotonicClock.Now;

    /// <summary>When something authentic was last heard.</summary>
    public Instant LastHeard { get; private set; } = MonotonicClock.Now;

    /// <summary>What the peer announced; nothing for a stock peer.</summary>
    public Capabilities PeerCapabilities { get; private set; }

    /// <summary>What this end can do over this path.</summary>
    public Capabilities OwnCapabilities =>
        _path.TakesMerged ? Capabilities.All : Capabilities.All & ~Capabilities.MergedFrames;

    /// <summary>The peer takes no new streams.</summary>
    public bool PeerDrains => _peerDrains;

    /// <summary>The peer has acknowledged something, and is where its datagrams come from. May be read without entering.</summary>
    public bool IsProven => _session.Kcp.PeerAnswered;

    /// <summary>
    /// Another session has the same peer address, whose peer has shown that he is there, as this one's has not: what belongs to the path is
    /// the other's.
    /// </summary>
    internal bool SharesPath { get; set; }

    /// <summary>How well the session does, for whoever chooses between several; null where nobody does.</summary>
    internal SessionHealth? Health { get; set; }

    /// <summary>The defect that ended the session, if one did.</summary>
    public Exception? Defect { get; private set; }

    /// <summary>For the owner: its place among those that have not been proven.</summary>
    internal LinkedListNode<PeerSession> Age { get; }

    /// <summary>For the deadline loop.</summary>
    internal Alarm Alarm { get; }

    /// <summary>What is done to its streams.</summary>
    internal SessionStreams Streams { get; }

    /// <summary>While it is held the session is looked at, or something changed that nobody is told of: no turn, at whose end something leaves.</summary>
    internal Lock.Scope Look() => _lock.EnterScope();

    /// <summary>Begins a turn; ends with <see cref="Leave"/> on the same thread.</summary>
    public void Enter() => _lock.Enter();

    /// <summary>Within a turn: takes a sealed datagram (without guard).</summary>
    public DropReason Receive(ReadOnlySpan<byte> datagram, in Arrival arrival, Instant now)
    {
        try
        {
            DropReason drop = _session.Receive(datagram, now);
            if (drop == DropReason.None)
            {
                LastHeard = now;
                _path.Follow(arrival);
            }

            return drop;
        }
        catch (Exception e)
        {
            return Die(e);
        }
    }

    /// <summary>Within a turn: takes a datagram that was opened to see whose it is.</summary>
    public DropReason ReceiveOpened(ReadOnlySpan<byte> payload, Instant now)
    {
        try
        {
            return _session.ReceiveOpened(payload, now);
        }
        catch (Exception e)
        {
            return Die(e);
        }
    }

    /// <summary>
    /// Ends a receiver's turn: the streams are told first, so that what they answer at once, and the windows that they open by reading, leave
    /// with the acknowledgements and not behind them.
    /// </summary>
    public void LeaveReceived()
    {
        try
        {
            AnnounceAll();
        }
        finally
        {
            LeaveLater();
        }
    }

    /// <summary>Ends a turn.</summary>
    public void Leave(Instant now)
    {
        TurnEnd end = default;
        try
        {
            end = EndTurn(now);
        }
        finally
        {
            _lock.Exit();
        }

        if (end.Closed)
        {
            Alarm.Forget();
            End();
        }

        _deadlines.Schedule(this, end.Deadline);
        if (end.Tells)
            Health?.Tell();
        EventDispatcher.Run();
    }

    /// <summary>Ends a turn within which a stream was touched: what it has to say leaves with what others say on this thread, if that is soon.</summary>
    internal void LeaveLater()
    {
        if (EventDispatcher.TryDefer(this))
            _lock.Exit();
        else
            Leave(MonotonicClock.Now);
    }

    /// <summary>A turn of its own: what is due happens. Deadline thread.</summary>
    /// <param name="late">
    /// How much later than it was due. A process that was stopped, or a machine that was, has not heard what came meanwhile, and that is not
    /// the peer's fault.
    /// </param>
    public void OnDeadline(TimeSpan late = default)
    {
        Enter();
        Instant now = MonotonicClock.Now;
        try
        {
            if (late >= HeldUp)
                _session.Excuse(late, now);
            _session.Advance(now);
        }
        catch (Exception e)
        {
            Die(e);
        }

        Leave(now);
    }

    /// <summary>Opens a stream; null when the session has ended or is full.</summary>
    public TunnelStream? OpenStream()
    {
        Enter();
        TunnelStream? opened = null;
        try
        {
            opened = _session.Mux.Open() is { } stream ? new TunnelStream(this, stream) { IsOwn = true } : null;
        }
        catch (Exception e)
        {
            Die(e);
        }

        LeaveLater();
        return opened;
    }

    /// <summary>Asks the peer's KCP for its window; the counters of <see cref="GetStatus"/> tell when it answered.</summary>
    public void AskWindow()
    {
        TakeTurn(static session => session.Kcp.AskWindow());
    }

    /// <summary>The peer has said that it takes no new streams.</summary>
    public void OnPeerDrains() => _peerDrains = true;

    /// <summary>A turn in which nothing happens but what every turn's end brings: what waits leaves, the session's health is looked at.</summary>
    public void LookAfter()
    {
        Enter();
        Leave(MonotonicClock.Now);
    }

    /// <summary>Sends something that a living peer acknowledges.</summary>
    public void Nudge()
    {
        TakeTurn(static session => session.Mux.Nudge());
    }

    /// <summary>Ends the session and all its streams. Idempotent.</summary>
    public void Close(CloseReason reason)
    {
        TakeTurn(session => session.Close(reason));
    }

    /// <summary>The peer announced what it can do.</summary>
    public void Announced(Capabilities capabilities)
    {
        TakeTurn(session =>
        {
            PeerCapabilities = capabilities;
            session.Mux.PeerTakesReset = capabilities.HasFlag(Capabilities.Reset);
            session.Mux.OneSignOfLifeIsEnough = capabilities.HasFlag(Capabilities.AcknowledgedLife);
            if (capabilities.HasFlag(Capabilities.MergedFrames))
                _path.Merge();
            if (capabilities.HasFlag(Capabilities.PathMtu))
                LearnPath();
        });
    }

    /// <summary>The way to the peer may have changed.</summary>
    public void Redirect(FlowAddresses addresses)
    {
        TakeTurn(session =>
        {
            if (_path.Redirect(addresses))
                session.Kcp.RecheckPath(MonotonicClock.Now.Milliseconds);
        });
    }

    /// <summary>
    /// The network has changed: looks again what the link takes. Datagrams get shorter, or may grow again; the bytes of the longest that
    /// the link took before and takes now.
    /// </summary>
    public (int Before, int Now) FollowLink()
    {
        (int before, int longest) = (_sender.Longest, _sender.Longest);
        TakeTurn(session =>
        {
            before = _sender.Longest;
            longest = _sender.AskLink();
            if (longest != before)
                session.Limit(longest, MonotonicClock.Now);
        });
        return (before, longest);
    }

    public void WearFlags(ReadOnlySpan<ushort> flags)
    {
        lock (_lock)
            _path.WearFlags(flags);
        // Headers with SYN are longer.
        FollowLink();
    }

    /// <summary>
    /// Gives back what nothing is in. Never waits: whoever asks may be within a turn of a session, this one or another, and one that is in
    /// another thread's turn does it at that turn's end, as all do while memory is short.
    /// </summary>
    internal void Reclaim()
    {
        if (!_lock.TryEnter())
            return;
        _session.Reclaim();
        CountMemory();
        _lock.Exit();
    }

    /// <summary>A picture of the session now.</summary>
    public SessionStatus GetStatus()
    {
        lock (_lock)
            return SessionStatus.Of(_session, Peer);
    }

    /// <summary>Adds what this session has done so far.</summary>
    public void AddTo(SessionTotals totals)
    {
        lock (_lock)
        {
            totals.Add(_session.Kcp, _session.Mux.Counters);
            _sender.AddTo(totals);
        }
    }

    /// <summary>The streams that are open, at most so many.</summary>
    public StreamStatus[] GetStreams(int most)
    {
        lock (_lock)
            return [.. _session.Mux.Streams.Take(most).Select(s => s.Tag).OfType<TunnelStream>().Select(s => s.GetStatus())];
    }

    /// <summary>A turn in which something rare happens.</summary>
    private void TakeTurn(Action<Session> what)
    {
        Enter();
        try
        {
            what(_session);
        }
        catch (Exception e)
        {
            Die(e);
        }

        Leave(MonotonicClock.Now);
    }

    /// <summary>What every turn ends with. A defect here, too, ends the session; what that means for its streams is announced like any end.</summary>
    private TurnEnd EndTurn(Instant now)
    {
        bool closed = false;
        try
        {
            _sender.Drain(_session, now);
            return Settle(now, ref closed);
        }
        catch (Exception e)
        {
            Die(e);
            return Settle(now, ref closed);
        }
    }

    /// <param name="now">The time.</param>
    /// <param name="closed">Set when the session has ended and nobody knows yet.</param>
    private TurnEnd Settle(Instant now, ref bool closed)
    {
        bool closes = _session.IsClosed && !_closeReported;
        closed |= closes;
        _closeReported |= closes;
        // Another conversation has taken the path over, or has it: it is not this session's to close.
        if (closes && CloseReason != CloseReason.Replaced && !SharesPath)
            _path.Close();
        AnnounceAll();
        if (!Budget.HasRoom)
            _session.Reclaim();
        CountMemory();
        bool tells = Health is { } health && !_session.IsClosed && health.Observe(_session, now);
        return new TurnEnd(closed, tells, _session.Deadline);
    }

    private void AnnounceAll()
    {
        while (_session.TryTakeEvent(out MuxEvent e))
            Announce(e);
    }

    private void Announce(MuxEvent e)
    {
        if (e.Kind == MuxEventKind.Opened)
            EventDispatcher.EnqueueOpened(new TunnelStream(this, e.Stream), _owner);
        else
            EventDispatcher.Enqueue(e);
    }

    private void LearnPath()
    {
        if (ProbesPath)
            _session.ProbePath(_sender.Longest, MonotonicClock.Now);
        else
            _session.PeerIsOurs();
    }

    /// <summary>Buffers grow and shrink rarely, so nearly always there is nothing to do but to see that.</summary>
    private void CountMemory()
    {
        long memory = _session.IsClosed ? 0 : _session.MemoryUse;
        if (memory == _memory)
            return;
        Budget.Move(memory - _memory);
        _memory = memory;
    }

    private void End()
    {
        TunnelEvents.Log.SessionEnded(this);
        _owner.OnSessionClosed(this);
    }

    /// <summary>
    /// A defect, whatever it is, ends this session and nothing else: whoever is at it serves others, too, a link's thread above all, and
    /// what it holds is not to be trusted any more.
    /// </summary>
    internal DropReason Die(Exception e)
    {
        Defect ??= e;
        try
        {
            _session.Close(CloseReason.Defect);
        }
        catch (Exception)
        {
            // It counts as closed all the same. The first defect is the one to tell.
        }

        return DropReason.Closed;
    }

    /// <param name="Closed">The session has ended, and nobody knows yet.</param>
    /// <param name="Tells">Its health is news.</param>
    /// <param name="Deadline">When it wants the next turn.</param>
    private readonly record struct TurnEnd(bool Closed, bool Tells, Instant Deadline);
}

/// <summary>Who is told about a session's streams and its end. Called without the session's lock.</summary>
public interface ISessionOwner
{
    void OnStreamOpened(TunnelStream stream);

    void OnSessionClosed(PeerSession session);
}
