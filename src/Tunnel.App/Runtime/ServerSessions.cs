using System.Diagnostics.CodeAnalysis;
using Tunnel.Links;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>
/// A server's sessions by remote address, whichever of its receivers their datagrams come to; the cap on their number, and who gives his
/// place when it is reached. Thread-safe; who admits or ends a session has left every other one before.
/// </summary>
/// <param name="factory">Makes them.</param>
/// <param name="carrier">What datagrams wear, the same at every receiver.</param>
/// <param name="outlet">What all of them send by, wherever they receive: receivers may become fewer, and this one stays.</param>
/// <param name="deadlines">Wakes them.</param>
/// <param name="maxSessions">How many there may be now.</param>
public sealed class ServerSessions(
    SessionFactory factory, Carrier carrier, IPacketLink outlet, DeadlineLoop deadlines, Func<int> maxSessions) : ISessionOwner
{
    /// <summary>Enough for every client of a restarted server within seconds, too few to be worth provoking.</summary>
    private const int AnswersPerSecond = 1000;

    // Held while a session is made, so that an address has one however many receivers hear of it; others are looked up meanwhile.
    private readonly Lock _admission = new();
    private readonly Lock _lock = new();
    private readonly SessionTable<PeerSession> _table = new(maxSessions());
    private readonly LinkedList<PeerSession> _byAge = [];
    private volatile bool _draining;

    /// <summary>A peer opened a stream. Called on whatever thread received it.</summary>
    public event Action<TunnelStream>? StreamOpened;

    /// <summary>A peer was refused for want of memory.</summary>
    public event Action<Endpoint>? OutOfMemory;

    /// <summary>Called before the session's first datagram is looked into; no other session is made meanwhile.</summary>
    public event Action<PeerSession>? SessionOpened;

    public event Action<PeerSession>? SessionClosed;

    public SessionFactory Factory => factory;

    public Carrier Carrier => carrier;

    /// <summary>No new sessions are taken.</summary>
    public bool IsDraining => _draining;

    public int Count
    {
        get
        {
            lock (_lock)
                return _table.Count;
        }
    }

    /// <summary>The cap on answers to strangers.</summary>
    internal AnswerLimit Answers { get; } = new(AnswersPerSecond);

    public PeerSession[] GetAll()
    {
        lock (_lock)
            return [.. _table.Sessions];
    }

    /// <summary>Takes no new sessions from now on, and tells the peers of those that there are that they get no new streams.</summary>
    public Task DrainAsync()
    {
        _draining = true;
        return Task.WhenAll(GetAll().Select(session => session.DrainAsync()));
    }

    /// <summary>Ends all of them.</summary>
    public void Close()
    {
        foreach (PeerSession session in GetAll())
            session.Close(CloseReason.Local);
    }

    public bool TryGet(in Endpoint peer, [NotNullWhen(true)] out PeerSession? session)
    {
        lock (_lock)
            return _table.TryGet(peer, out session);
    }

    /// <summary>
    /// Makes a session for a stranger if his datagram begins a conversation and there is room, or finds the one that another receiver has
    /// made meanwhile: <see cref="DropReason.None"/>.
    /// </summary>
    /// <param name="arrival">The datagram's.</param>
    /// <param name="payload">What was in it, opened.</param>
    /// <param name="now">The time.</param>
    /// <param name="session">It may have ended again by the time that it is entered.</param>
    public DropReason Admit(in Arrival arrival, ReadOnlySpan<byte> payload, Instant now, out PeerSession? session)
    {
        DropReason drop;
        do
            drop = TryAdmit(arrival, payload, now, out session);
        // Somebody else may be quicker to take the place that was made.
        while (drop == DropReason.SessionLimit && MakeRoom());
        if (drop == DropReason.Memory)
            Refuse(arrival.Peer);
        return drop;
    }

    /// <summary>A session in the place of an address's former one, which has ended.</summary>
    public PeerSession Succeed(in Arrival arrival, uint conv, Instant now)
    {
        lock (_admission)
            return TryGet(arrival.Peer, out PeerSession? session) && !session.IsClosed ? session : Create(arrival, conv, now);
    }

    void ISessionOwner.OnStreamOpened(TunnelStream stream) => StreamOpened?.Invoke(stream);

    void ISessionOwner.OnSessionClosed(PeerSession session)
    {
        lock (_lock)
            Forget(session);
        factory.Ledger.Remove(session);
        SessionClosed?.Invoke(session);
    }

    private DropReason TryAdmit(in Arrival arrival, ReadOnlySpan<byte> payload, Instant now, out PeerSession? session)
    {
        lock (_admission)
        {
            if (TryGet(arrival.Peer, out session) && !session.IsClosed)
                return DropReason.None;
            DropReason drop = Judge(payload, out uint conv);
            if (drop == DropReason.None && !factory.Budget.MakeRoom())
                return DropReason.Memory;
            if (drop == DropReason.None)
                session = Create(arrival, conv, now);
            return drop;
        }
    }

    private DropReason Judge(ReadOnlySpan<byte> payload, out uint conv)
    {
        lock (_lock)
        {
            _table.MaxSessions = maxSessions();
            return _table.Admit(payload, out conv);
        }
    }

    private PeerSession Create(in Arrival arrival, uint conv, Instant now)
    {
        Session session = factory.CreateSession(conv, isClient: false, now);
        var peer = new PeerSession(session, carrier.Answer(outlet, arrival), arrival.Peer, factory.Stamp, deadlines, this)
        {
            Budget = factory.Budget,
            ProbesPath = factory.ProbesPath,
            Log = factory.Log,
        };
        factory.Ledger.Add(peer);
        SessionOpened?.Invoke(peer);
        lock (_lock)
        {
            _table.Set(arrival.Peer, peer);
            _byAge.AddLast(peer.Age);
        }

        return peer;
    }

    /// <summary>
    /// The cap is reached. Without a cipher anybody can begin sessions in others' names: the oldest one whose peer never acknowledged
    /// anything gives its place. Those that did are not looked at again.
    /// </summary>
    private bool MakeRoom()
    {
        PeerSession? oldest;
        lock (_lock)
        {
            while (_byAge.First is { Value.IsProven: true })
                _byAge.RemoveFirst();
            oldest = _byAge.First?.Value;
            if (oldest is not null)
                Forget(oldest);
        }

        string consequence = oldest is null ? "a session was refused" : "the oldest session that never answered gave its place";
        factory.Limits?.Strike(LimitKind.MaxSessions, consequence);
        oldest?.Close(CloseReason.Unproven);
        return oldest is not null;
    }

    private void Forget(PeerSession session)
    {
        _table.Remove(session.Peer, session);
        if (session.Age.List is not null)
            _byAge.Remove(session.Age);
    }

    private void Refuse(in Endpoint peer)
    {
        factory.Limits?.Strike(LimitKind.Memory, "a session was refused");
        OutOfMemory?.Invoke(peer);
    }
}
