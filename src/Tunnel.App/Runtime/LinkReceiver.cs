using Tunnel.App.Runtime.Traffic;
using Tunnel.Links;
using Tunnel.Links.Sockets;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>
/// The receiving side of a link: takes frames off it on a reactor's thread, unwraps them, lets the guard judge them, and hands each datagram
/// to its session, which stays entered for the rest of the batch. Clients and servers differ in whose datagram it is.
/// </summary>
public abstract class LinkReceiver : IFrameSink, ILinkObserver, IDisposable
{
    private readonly Guard? _guard;
    private readonly DatagramLog? _log;
    private readonly int _index;
    private readonly Lock _receiving = new();
    private readonly long[] _drops = new long[Enum.GetValues<DropReason>().Length];
    private readonly Histogram _batches = new();
    private readonly Histogram _merged = new();
    private long _passed;
    private int _frames;
    private bool _hasEntered;
    private PeerSession? _current;
    private Instant _now = MonotonicClock.Now;
    private Reactor? _reactor;
    private LinkWatch? _watch;
    private bool _stopped;
    private bool _isInBatch;

    /// <param name="link">Owned from now on.</param>
    /// <param name="carrier">How datagrams are dressed.</param>
    /// <param name="sessions">What they are made with.</param>
    /// <param name="index">Of the link among those of its client or server, which are shared out over the reactors.</param>
    protected LinkReceiver(ReplaceableLink link, Carrier carrier, SessionFactory sessions, int index)
    {
        _index = index;
        Link = link;
        Carrier = carrier;
        Sessions = sessions;
        _guard = sessions.Guard?.CreateGuard();
        _log = sessions.Log;
        sessions.Ledger.Add(this);
    }

    /// <summary>Stays, whatever it stands for: a link that broke is replaced in it, and sessions go on.</summary>
    public ReplaceableLink Link { get; }

    /// <summary>A peer sends FEC packets; called once for each receiver.</summary>
    public event Action<Protocol.Wire.Endpoint>? FecSeen;

    protected Carrier Carrier { get; }

    protected SessionFactory Sessions { get; }

    /// <summary>The session that is entered, if one is.</summary>
    protected PeerSession? Current => _current;

    /// <summary>The batch's time.</summary>
    protected Instant Now => _now;

    /// <summary>Datagrams dropped so far for a reason.</summary>
    public long GetDrops(DropReason reason) => Volatile.Read(ref _drops[(int)reason]);

    /// <summary>Adds what this link has done so far.</summary>
    public void AddTo(LinkTotals totals)
    {
        totals.Add(Link.Counters);
        for (int i = 0; i < _drops.Length; i++)
            totals.Drops[i] += GetDrops((DropReason)i);
        totals.GuardPassed += Volatile.Read(ref _passed);
        _batches.AddTo(totals.Batches);
        _merged.AddTo(totals.Merged);
    }

    /// <summary>Begins to receive.</summary>
    /// <exception cref="LinkException">The kernel cannot watch the link.</exception>
    public void Start()
    {
        lock (_receiving)
        {
            if (_stopped || _reactor is not null)
                return;
            _reactor = Reactors.OfProcess.Take(_index);
            _watch = _reactor.Watch(this);
            Link.Watch(_watch);
        }
    }

    void ILinkObserver.OnReady()
    {
        lock (_receiving)
        {
            if (_stopped)
                return;
            _isInBatch = true;
            try
            {
                Link.Receive(this, 0);
            }
            finally
            {
                _isInBatch = false;
                if (_stopped)
                    Link.Dispose();
            }
        }
    }

    public void OnFrame(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, int segmentLength)
    {
        try
        {
            Take(frame, address, segmentLength);
        }
        catch (Exception e)
        {
            // Sessions see to their own defects. One frame must not end what all others come by.
            Count(DropReason.Defect);
            _log?.Met(e, frame.Length, Link.Name);
        }
    }

    public void OnBatchEnd()
    {
        LeaveCurrent();
        _batches.Add(_frames);
        (_frames, _hasEntered) = (0, false);
    }

    /// <summary>
    /// Stops receiving and closes the link. A batch that is under way on another thread is waited for; on this one, where what awaited a session goes on
    /// within it, the link is closed at its end: what is being read is the link's memory.
    /// </summary>
    public virtual void Dispose()
    {
        bool isInBatch;
        lock (_receiving)
        {
            if (_stopped)
                return;
            _stopped = true;
            _watch?.Dispose();
            if (_reactor is not null)
                Reactors.OfProcess.Release(_reactor);
            isInBatch = _isInBatch;
        }

        Sessions.Ledger.Remove(this);
        if (!isInBatch)
            Link.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives the datagram to the session it belongs to.</summary>
    protected abstract DropReason OnDatagram(in Arrival arrival, ReadOnlySpan<byte> datagram);

    /// <summary>Enters a session for the rest of the batch, leaving the one before.</summary>
    protected void Enter(PeerSession session)
    {
        if (ReferenceEquals(_current, session))
            return;
        LeaveCurrent();
        if (_hasEntered)
            EventDispatcher.TellNow();
        _hasEntered = true;
        session.Enter();
        _current = session;
    }

    protected void LeaveCurrent()
    {
        PeerSession? current = _current;
        _current = null;
        current?.LeaveReceived();
    }

    private void Take(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, int segmentLength)
    {
        if (_current is null)
            _now = MonotonicClock.Now;
        // Nothing may have come for longer than a cookie lasts.
        if (_frames++ == 0)
            _guard?.Refresh(GuardSettings.UnixSeconds);
        if (!Carrier.TryUnwrap(frame, address, out Arrival arrival))
            OnOtherFrame(frame);
        else if (_guard is not null && Link.Framing == LinkFraming.Ethernet)
            SplitByGuard(arrival);
        else
            SplitByLength(arrival, segmentLength);
    }

    private void OnOtherFrame(ReadOnlySpan<byte> frame)
    {
        if (Carrier.TryControl(Link, frame, _now))
            return;
        Count(DropReason.Frame);
        if (_log is { IsRead: true } log)
            log.Dropped(frame.Length, Link.Name);
    }

    /// <summary>Where the link is the only one, or the better one, to know where datagrams were joined; 0 means that they were not.</summary>
    private void SplitByLength(in Arrival arrival, int segmentLength)
    {
        ReadOnlySpan<byte> rest = arrival.Payload;
        if (segmentLength > 0 && rest.Length > segmentLength)
            _merged.Add((rest.Length + segmentLength - 1) / segmentLength);
        while (segmentLength > 0 && rest.Length > segmentLength)
        {
            Judge(arrival, rest[..segmentLength]);
            rest = rest[segmentLength..];
        }

        Judge(arrival, rest);
    }

    /// <summary>Each by itself: with UDP, one that a stranger slipped in must not take others with it.</summary>
    private void Judge(in Arrival arrival, ReadOnlySpan<byte> guarded)
    {
        if (_guard is null)
            Handle(arrival, guarded);
        else if (Passes(_guard.Check(guarded), arrival, guarded.Length))
            Handle(arrival, guarded[Guard.PrefixLength..]);
    }

    /// <summary>
    /// On TCP segments the guard's prefix marks where each datagram begins, merged or not, by whomever and whatever the link knows.
    /// </summary>
    private void SplitByGuard(in Arrival arrival)
    {
        GuardSplitter datagrams = _guard!.Split(arrival.Payload);
        Passes(datagrams.Verdict, arrival, arrival.Payload.Length);
        int count = 0;
        foreach (ReadOnlySpan<byte> datagram in datagrams)
        {
            Handle(arrival, datagram);
            count++;
        }

        if (count > 1)
            _merged.Add(count);
    }

    private bool Passes(GuardVerdict verdict, in Arrival arrival, int length)
    {
        if (verdict == GuardVerdict.Pass)
            Volatile.Write(ref _passed, _passed + 1);
        else
            Drop(DropReason.Guard, arrival, length);
        return verdict == GuardVerdict.Pass;
    }

    private void Handle(in Arrival arrival, ReadOnlySpan<byte> datagram)
    {
        DropReason drop = OnDatagram(arrival, datagram);
        int length = datagram.Length + (_guard is null ? 0 : Guard.PrefixLength);
        if (drop == DropReason.None)
        {
            if (_log is { IsRead: true } log)
                log.Received(length, Link.Name, arrival.Peer);
            return;
        }

        if (drop == DropReason.Fec && GetDrops(DropReason.Fec) == 0)
            FecSeen?.Invoke(arrival.Peer);
        Drop(drop, arrival, length);
    }

    private void Drop(DropReason reason, in Arrival arrival, int length)
    {
        Count(reason);
        if (_log is { IsRead: true } log)
            log.Dropped(reason, length, Link.Name, arrival.Peer);
    }

    // Written by whoever receives only; readers see each counter whole.
    private void Count(DropReason reason) => Volatile.Write(ref _drops[(int)reason], _drops[(int)reason] + 1);
}
