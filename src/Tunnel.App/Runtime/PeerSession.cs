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
/// Runs one session over a path. Whoever has work enters (the link's receive thread, a socket's completion, the deadline thread),
/// feeds the session, and leaves; leaving sends what there is to send and then, outside the lock, tells the streams.
/// </summary>
public sealed class PeerSession
{
    /// <summary>What one send call carries at most; as much as segmentation offload takes.</summary>
    private const int RunBuffer = 64 * 1024;

    /// <summary>What a link's MTU leaves at least, lest a nonsensical one stop everything.</summary>
    private const int SmallestDatagram = 128;

    /// <summary>No busy host is that late; one that is held up is.</summary>
    private static readonly TimeSpan HeldUp = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan GoodbyeTimeout = TimeSpan.FromMilliseconds(200);

    [ThreadStatic]
    private static byte[]? _buffer;

    private readonly Lock _lock = new();
    private readonly Session _session;
    private readonly PeerPath _path;
    private readonly GuardStamp? _guard;
    private readonly DeadlineLoop _deadlines;
    private readonly ISessionOwner _owner;
    private volatile bool _peerDrains;
    private readonly Histogram _flushes = new();
    private readonly Histogram _merged = new();
    private bool _closeReported;
    private long _memory;
    private int _largest;

    public PeerSession(Session session, PeerPath path, Endpoint peer, GuardStamp? guard, DeadlineLoop deadlines, ISessionOwner owner)
    {
        _session = session;
        _path = path;
        Peer = peer;
        _guard = guard;
        _deadlines = deadlines;
        _owner = owner;
        Age = new LinkedListNode<PeerSession>(this);
        Alarm = new Alarm(this);
        _largest = LargestDatagram() ?? KcpEngine.LargestDatagram;
        session.Limit(_largest, MonotonicClock.Now);
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

    /// <summary>Where this session's memory is counted.</summary>
    public MemoryBudget Budget { get; init; } = MemoryBudget.Unlimited;

    /// <summary>Where what is sent is told of; null: nowhere.</summary>
    public DatagramLog? Log { get; init; }

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
        EventDispatcher.Begin();
        try
        {
            AnnounceAll();
            EventDispatcher.TryDefer(this);
        }
        finally
        {
            _lock.Exit();
            EventDispatcher.End();
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
    private void LeaveLater()
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

    /// <summary>Says that this end takes no new streams, if the peer understands that.</summary>
    public Task DrainAsync() => PeerCapabilities.HasFlag(Capabilities.Drain) ? TellAsync(StreamRequest.Draining) : Task.CompletedTask;

    /// <summary>The peer has said so.</summary>
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

    /// <summary>Ends the session, and says so if the peer understands that.</summary>
    public async Task LeaveAsync()
    {
        if (PeerCapabilities.HasFlag(Capabilities.Goodbye))
            await TellAsync(StreamRequest.Goodbye).ConfigureAwait(false);
        Close(CloseReason.Local);
    }

    private async Task TellAsync(StreamRequest what)
    {
        if (OpenStream() is not { } stream)
            return;
        // On its way is all that can be had: nobody answers a goodbye.
        Task sent = HeaderExchange.SendAsync(stream, new StreamHeader(what), HeaderFormat.V1).AsTask();
        await Task.WhenAny(sent, Task.Delay(GoodbyeTimeout)).ConfigureAwait(false);
        stream.CloseWrite();
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
        (int before, int largest) = (_largest, _largest);
        TakeTurn(session =>
        {
            before = _largest;
            // A link that is away just now will be there again as it was.
            largest = _largest = LargestDatagram() ?? before;
            if (largest != before)
                session.Limit(largest, MonotonicClock.Now);
        });
        return (before, largest);
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
        {
            KcpEngine kcp = _session.Kcp;
            return new SessionStatus(
                Peer.ToString(), Conv, _session.Mux.StreamCount, kcp.SmoothedRoundTrip, kcp.RetransmissionTimeout, kcp.InFlight, kcp.Window,
                kcp.Counters, _session.MemoryUse, _session.Mtu)
            {
                Mux = _session.Mux.Counters,
                BytesInFlight = kcp.BytesInFlight,
                PacingRate = kcp.PacingRate,
                RemoteWindow = kcp.RemoteWindow,
                LocalWindow = kcp.LocalWindow,
                Buffered = _session.Mux.Buffered,
            };
        }
    }

    /// <summary>Adds what this session has done so far.</summary>
    public void AddTo(SessionTotals totals)
    {
        lock (_lock)
        {
            totals.Add(_session.Kcp, _session.Mux.Counters);
            _flushes.AddTo(totals.Flushes);
            _merged.AddTo(totals.Merged);
        }
    }

    /// <summary>The streams that are open, at most so many.</summary>
    public StreamStatus[] GetStreams(int most)
    {
        lock (_lock)
            return [.. _session.Mux.Streams.Take(most).Select(s => s.Tag).OfType<TunnelStream>().Select(s => s.GetStatus())];
    }

    internal bool TryWrite(MuxStream stream, ReadOnlyMemory<byte> data)
    {
        Enter();
        bool taken = false;
        try
        {
            taken = _session.Mux.TryWrite(stream, data);
        }
        catch (Exception e)
        {
            Die(e);
        }

        LeaveLater();
        return taken;
    }

    internal DatagramWrite TryWriteDatagram(MuxStream stream, ReadOnlyMemory<byte> data)
    {
        Enter();
        DatagramWrite result = DatagramWrite.Closed;
        try
        {
            result = _session.Mux.TryWriteDatagram(stream, data);
        }
        catch (Exception e)
        {
            Die(e);
        }

        LeaveLater();
        return result;
    }

    internal bool ReadFrames(MuxStream stream)
    {
        lock (_lock)
            return MuxSession.ReadFrames(stream);
    }

    internal void ReadBytes(MuxStream stream)
    {
        lock (_lock)
            MuxSession.ReadBytes(stream);
    }

    /// <summary>A frame's length, or -1 for nothing yet; 0 is the end.</summary>
    /// <exception cref="TunnelClosedException">The session ended.</exception>
    internal int ReadFrame(MuxStream stream, Span<byte> destination)
    {
        Enter();
        int length = 0;
        try
        {
            length = Math.Max(0, _session.ReadFrame(stream, destination));
        }
        catch (Exception e)
        {
            Die(e);
        }

        length = LeaveReading(stream, length, out bool broken);
        return broken ? throw Broken(stream) : length;
    }

    /// <summary>What is there, or -1 for nothing yet; 0 is the end.</summary>
    /// <exception cref="TunnelClosedException">The session ended.</exception>
    internal int Read(MuxStream stream, Span<byte> destination)
    {
        int count = Read(stream, destination, out bool broken);
        return broken ? throw Broken(stream) : count;
    }

    /// <summary>What is there, or -1 for nothing yet; 0 is the end, in order or not.</summary>
    internal int Read(MuxStream stream, Span<byte> destination, out bool broken)
    {
        Enter();
        int count = 0;
        try
        {
            count = _session.Read(stream, destination);
        }
        catch (Exception e)
        {
            Die(e);
        }

        return LeaveReading(stream, count, out broken);
    }

    private int LeaveReading(MuxStream stream, int count, out bool broken)
    {
        bool ended = stream.EndOfStream, dead = _session.IsClosed;
        LeaveLater();
        broken = count == 0 && (stream.IsReset || (ended && dead && !stream.PeerFinished));
        return count != 0 ? count : ended ? 0 : -1;
    }

    private IOException Broken(MuxStream stream) => stream.IsReset ? new StreamResetException() : new TunnelClosedException(CloseReason);

    /// <summary>Arms <paramref name="signal"/> if the stream has nothing to read yet; false when there is something.</summary>
    internal bool TryWaitReadable(MuxStream stream, StreamSignal signal)
    {
        lock (_lock)
        {
            if (stream.HasInput || stream.EndOfStream)
                return false;
            signal.Arm();
            return true;
        }
    }

    internal void CloseWrite(MuxStream stream)
    {
        Enter();
        try
        {
            _session.Mux.CloseWrite(stream);
        }
        catch (Exception e)
        {
            Die(e);
        }

        LeaveLater();
    }

    internal void Close(MuxStream stream)
    {
        Enter();
        try
        {
            _session.Close(stream);
        }
        catch (Exception e)
        {
            Die(e);
        }

        LeaveLater();
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
            Drain(now);
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
            _session.ProbePath(_largest, MonotonicClock.Now);
        else
            _session.PeerIsOurs();
    }

    /// <summary>Bytes of a sealed datagram that the link takes; null when that is not known.</summary>
    private int? LargestDatagram()
    {
        int payload = _path.LargestPayload();
        int guardLength = _guard is null ? 0 : Guard.PrefixLength;
        return payload == 0 ? null : Math.Max(SmallestDatagram, payload - guardLength);
    }

    private void Drain(Instant now)
    {
        _path.Prepare();
        byte[] buffer = _buffer ??= GC.AllocateUninitializedArray<byte>(RunBuffer, pinned: true);
        int guardLength = _guard is null ? 0 : Guard.PrefixLength;
        int sent = 0;
        while (true)
        {
            // Read anew for each run: a path may stop merging.
            int front = _path.FrontRoom, headroom = _path.Headroom + guardLength, together = _path.MaxTogether;
            Span<byte> room = buffer.AsSpan(front, Math.Min(buffer.Length, _path.MaximumRun) - front);
            TransmitRun run = _session.Transmit(room, headroom, now);
            if (run.IsEmpty)
                break;
            for (int i = 0; _guard is not null && i < run.Count; i++)
                _guard.Write(room.Slice(i * run.Stride + headroom - guardLength, guardLength));
            _path.Send(buffer.AsSpan(0, front + run.Length), run.Stride);
            if (Log is { IsRead: true } log)
                log.Sent(run.Length, run.Stride, headroom - guardLength, _path.LinkName, Peer);
            sent += run.Count;
            if (Math.Min(together, run.Count) is > 1 and int merged)
                _merged.Add(merged);
        }

        if (sent != 0)
            _flushes.Add(sent);
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
    private DropReason Die(Exception e)
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

/// <summary>A session as an operator wants to see it. Times in milliseconds, windows in segments, memory and MTU in bytes.</summary>
public sealed record SessionStatus(
    string Peer,
    uint Conv,
    int Streams,
    int RoundTrip,
    int RetransmissionTimeout,
    int InFlight,
    int Window,
    KcpCounters Kcp,
    long Memory,
    int Mtu)
{
    public MuxCounters Mux { get; init; }

    public int BytesInFlight { get; init; }

    /// <summary>Bytes of data a second that may leave; 0 while what leaves is not paced.</summary>
    public long PacingRate { get; init; }

    /// <summary>Segments that the peer can take.</summary>
    public int RemoteWindow { get; init; }

    /// <summary>Segments that this end can take.</summary>
    public int LocalWindow { get; init; }

    /// <summary>Bytes that wait for readers.</summary>
    public long Buffered { get; init; }
}

/// <summary>The session that carried the stream has ended; what was under way is lost.</summary>
public sealed class TunnelClosedException(CloseReason reason) : IOException($"the tunnel's session ended: {reason}")
{
    public CloseReason Reason { get; } = reason;
}

/// <summary>The peer broke the stream off.</summary>
public sealed class StreamResetException() : IOException("the peer reset the stream");
