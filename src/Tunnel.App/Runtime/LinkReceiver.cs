using Tunnel.Links;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>
/// The receiving side of a link: a thread that takes frames off it, unwraps them, lets the guard judge them, and hands each datagram
/// to its session, which stays entered for the rest of the batch. Clients and servers differ in whose datagram it is.
/// </summary>
public abstract class LinkReceiver : IFrameSink, ISessionOwner, IDisposable
{
    private const int ReceiveTimeout = 1000;

    private readonly Guard? _guard;
    private readonly Thread _thread;
    private readonly long[] _drops = new long[Enum.GetValues<DropReason>().Length];
    private PeerSession? _current;
    private Instant _now = MonotonicClock.Now;
    private volatile bool _stopped;

    protected LinkReceiver(ReplaceableLink link, Carrier carrier, SessionFactory sessions, string name)
    {
        Link = link;
        Carrier = carrier;
        Sessions = sessions;
        _guard = sessions.Guard?.CreateGuard();
        _thread = new Thread(Run) { IsBackground = true, Name = name };
    }

    /// <summary>Stays, whatever it stands for: a link that broke is replaced in it, and sessions go on.</summary>
    public ReplaceableLink Link { get; }

    /// <summary>A peer sends FEC packets; called once for each receiver.</summary>
    public event Action<Protocol.Wire.Endpoint>? FecSeen;

    protected Carrier Carrier { get; }

    protected SessionFactory Sessions { get; }

    /// <summary>The batch's time.</summary>
    protected Instant Now => _now;

    /// <summary>Datagrams dropped so far for a reason.</summary>
    public long GetDrops(DropReason reason) => Volatile.Read(ref _drops[(int)reason]);

    public void Start() => _thread.Start();

    public void OnFrame(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, int segmentLength)
    {
        if (_current is null)
            _now = MonotonicClock.Now;
        if (!Carrier.TryUnwrap(frame, address, out Arrival arrival))
            Count(DropReason.Frame);
        else if (_guard is not null)
            SplitByGuard(arrival);
        else
            SplitByLength(arrival, segmentLength);
    }

    public void OnBatchEnd()
    {
        LeaveCurrent();
        _guard?.Refresh(GuardSettings.UnixSeconds);
    }

    public abstract void OnStreamOpened(TunnelStream stream);

    public abstract void OnSessionClosed(PeerSession session);

    /// <summary>Stops receiving and closes the link.</summary>
    public virtual void Dispose()
    {
        if (_stopped)
            return;
        _stopped = true;
        Link.Wake();
        if (!_thread.ThreadState.HasFlag(ThreadState.Unstarted) && _thread != Thread.CurrentThread)
            _thread.Join();
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
        session.Enter();
        _current = session;
    }

    protected void LeaveCurrent()
    {
        PeerSession? current = _current;
        _current = null;
        current?.Leave(MonotonicClock.Now);
    }

    /// <summary>Without a guard only the link knows where merged segments were joined; 0 means that they were not.</summary>
    private void SplitByLength(in Arrival arrival, int segmentLength)
    {
        ReadOnlySpan<byte> rest = arrival.Payload;
        while (segmentLength > 0 && rest.Length > segmentLength)
        {
            Handle(arrival, rest[..segmentLength]);
            rest = rest[segmentLength..];
        }

        Handle(arrival, rest);
    }

    /// <summary>The guard's prefix marks where each datagram begins, merged or not, whatever the link knows.</summary>
    private void SplitByGuard(in Arrival arrival)
    {
        GuardSplitter datagrams = _guard!.Split(arrival.Payload);
        if (datagrams.Verdict != GuardVerdict.Pass)
            Count(DropReason.Guard);
        foreach (ReadOnlySpan<byte> datagram in datagrams)
            Handle(arrival, datagram);
    }

    private void Handle(in Arrival arrival, ReadOnlySpan<byte> datagram)
    {
        DropReason drop = OnDatagram(arrival, datagram);
        if (drop == DropReason.None)
            return;
        if (drop == DropReason.Fec && GetDrops(DropReason.Fec) == 0)
            FecSeen?.Invoke(arrival.Peer);
        Count(drop);
    }

    // Written by the receive thread only; readers see each counter whole.
    private void Count(DropReason reason) => Volatile.Write(ref _drops[(int)reason], _drops[(int)reason] + 1);

    private void Run()
    {
        _guard?.Refresh(GuardSettings.UnixSeconds);
        while (!_stopped)
        {
            if (Link.Receive(this, ReceiveTimeout) == 0)
                _guard?.Refresh(GuardSettings.UnixSeconds);
        }
    }
}
