using System.Diagnostics.CodeAnalysis;
using Tunnel.Links;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>
/// A server's sessions by remote address, whichever of its receivers their datagrams come to; the cap on their number, and who gives his
/// place when it is reached. An address has one session, and perhaps a successor beside it: a conversation that began there later, and
/// takes the session's place once its peer has answered. Thread-safe; who admits or ends a session has left every other one before.
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

    /// <summary>
    /// Beside as many sessions as there may be. A client that begins anew is a successor for one round trip; who repeats others' first
    /// datagrams only makes others' successors begin once more.
    /// </summary>
    private const int MostSuccessors = 64;

    // Held while a session is made, so that an address has one however many receivers hear of it; others are looked up meanwhile.
    private readonly Lock _admission = new();
    private readonly Lock _lock = new();
    private readonly SessionTable<PeerSession> _table = new(maxSessions());
    private readonly LinkedList<PeerSession> _byAge = [];

    // Oldest first. Few, and none as a rule.
    private readonly List<PeerSession> _successors = [];
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
            return [.. _table.Sessions, .. _successors];
    }

    /// <summary>Takes no new sessions from now on, and tells the peers of those that there are that they get no new streams.</summary>
    public Task DrainAsync()
    {
        _draining = true;
        return Task.WhenAll(GetAll().Select(Farewell.DrainAsync));
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

    /// <summary>
    /// Makes a session for a conversation that begins at an address that has one. If that one's peer has shown that he is there, it stays until the new
    /// one's has: anybody can repeat what once began another conversation, and put any address on it. Else it ends.
    /// </summary>
    /// <param name="arrival">The first datagram's.</param>
    /// <param name="old">The address's session, which is not entered.</param>
    /// <param name="conv">The new conversation.</param>
    /// <param name="now">The time.</param>
    /// <param name="session">It may have ended again by the time that it is entered; null when there is no memory for it.</param>
    public DropReason Succeed(in Arrival arrival, PeerSession old, uint conv, Instant now, out PeerSession? session)
    {
        PeerSession? ended;
        lock (_admission)
        {
            if (TryGet(arrival.Peer, out session) && session != old && !session.IsClosed)
                return DropReason.None;
            session = null;
            if (!factory.Budget.MakeRoom())
            {
                Refuse(arrival.Peer);
                return DropReason.Memory;
            }

            bool stays = old is { IsClosed: false, IsProven: true };
            ended = stays ? MakeRoomBeside(arrival.Peer) : old;
            session = Create(arrival, conv, now, stays);
        }

        ended?.Close(CloseReason.Replaced);
        return DropReason.None;
    }

    /// <summary>The session that may take the place of the address's.</summary>
    public bool TryGetSuccessor(in Endpoint peer, [NotNullWhen(true)] out PeerSession? successor)
    {
        lock (_lock)
            successor = FindSuccessor(peer);
        return successor is not null;
    }

    /// <summary>A successor's peer has answered: he is there, and began anew.</summary>
    /// <param name="successor">Not entered.</param>
    public void Promote(PeerSession successor)
    {
        PeerSession? old;
        lock (_lock)
        {
            if (!_successors.Remove(successor))
                return;
            _table.TryGet(successor.Peer, out old);
            TakePlace(successor);
        }

        old?.Close(CloseReason.Replaced);
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
                session = Create(arrival, conv, now, beside: false);
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

    private PeerSession Create(in Arrival arrival, uint conv, Instant now, bool beside)
    {
        Session session = factory.CreateSession(conv, isClient: false, now);
        var peer = new PeerSession(session, carrier.Answer(outlet, arrival), arrival.Peer, factory.Stamp, deadlines, this)
        {
            Budget = factory.Budget,
            ProbesPath = factory.ProbesPath,
            Log = factory.Log,
            SharesPath = beside,
        };
        factory.Ledger.Add(peer);
        SessionOpened?.Invoke(peer);
        lock (_lock)
        {
            // The one beside which it is made may have ended meanwhile.
            if (beside && _table.TryGet(arrival.Peer, out _))
                _successors.Add(peer);
            else
                TakePlace(peer);
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

    /// <summary>Takes the one out that a new successor leaves no room for: the address's former one, or the oldest when there are too many.</summary>
    private PeerSession? MakeRoomBeside(in Endpoint peer)
    {
        lock (_lock)
        {
            PeerSession? former = FindSuccessor(peer) ?? (_successors.Count >= MostSuccessors ? _successors[0] : null);
            if (former is not null)
                Forget(former);
            return former;
        }
    }

    private PeerSession? FindSuccessor(in Endpoint peer)
    {
        foreach (PeerSession successor in _successors)
        {
            if (successor.Peer == peer)
                return successor;
        }

        return null;
    }

    private void TakePlace(PeerSession successor)
    {
        successor.SharesPath = false;
        _table.Set(successor.Peer, successor);
    }

    private void Forget(PeerSession session)
    {
        _successors.Remove(session);
        // Whoever began meanwhile has the address for himself.
        if (_table.Remove(session.Peer, session) && FindSuccessor(session.Peer) is { } successor)
        {
            _successors.Remove(successor);
            TakePlace(successor);
        }

        if (session.Age.List is not null)
            _byAge.Remove(session.Age);
    }

    private void Refuse(in Endpoint peer)
    {
        factory.Limits?.Strike(LimitKind.Memory, "a session was refused");
        OutOfMemory?.Invoke(peer);
    }
}
