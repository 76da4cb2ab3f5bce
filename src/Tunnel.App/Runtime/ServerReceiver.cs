using Tunnel.Links;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>
/// A server's link and the sessions on it, by remote address. Nothing is made for a stranger before the guard, the cipher and the
/// cap have let him pass.
/// </summary>
public sealed class ServerReceiver : LinkReceiver
{
    /// <summary>Enough for every client of a restarted server within seconds, too few to be worth provoking.</summary>
    private const int AnswersPerSecond = 1000;

    private readonly Lock _lock = new();
    private readonly SessionTable<PeerSession> _table;
    private readonly DatagramCipher _cipher;
    private readonly DeadlineLoop _deadlines;
    private readonly byte[] _scratch = new byte[KcpEngine.MaximumDatagram];
    private readonly AnswerLimit _answers = new(AnswersPerSecond);

    public ServerReceiver(ReplaceableLink link, Carrier carrier, SessionFactory sessions, DeadlineLoop deadlines, int maxSessions)
        : base(link, carrier, sessions, $"{link.Name} receive")
    {
        _table = new SessionTable<PeerSession>(maxSessions);
        _cipher = sessions.CreateCipher();
        _deadlines = deadlines;
    }

    /// <summary>A peer opened a stream. Called on whatever thread received it.</summary>
    public event Action<TunnelStream>? StreamOpened;

    /// <summary>A peer was refused for want of memory.</summary>
    public event Action<Endpoint>? OutOfMemory;

    public event Action<PeerSession>? SessionOpened;

    public event Action<PeerSession>? SessionClosed;

    public int SessionCount
    {
        get
        {
            lock (_lock)
                return _table.Count;
        }
    }

    public PeerSession[] GetSessions()
    {
        lock (_lock)
            return [.. _table.Sessions];
    }

    public override void OnStreamOpened(TunnelStream stream) => StreamOpened?.Invoke(stream);

    public override void OnSessionClosed(PeerSession session)
    {
        lock (_lock)
            _table.Remove(session.Peer, session);
        SessionClosed?.Invoke(session);
    }

    public override void Dispose()
    {
        base.Dispose();
        foreach (PeerSession session in GetSessions())
            session.Close(CloseReason.Local);
    }

    protected override DropReason OnDatagram(in Arrival arrival, ReadOnlySpan<byte> datagram)
    {
        if (!TryGet(arrival.Peer, out PeerSession? session))
            return OnStranger(arrival, datagram);
        Enter(session!);
        DropReason drop = session!.Receive(datagram, arrival, Now);
        if (drop is not (DropReason.Conversation or DropReason.Closed))
            return drop;
        return OnOtherConversation(arrival, datagram, session);
    }

    private bool TryGet(in Endpoint peer, out PeerSession? session)
    {
        lock (_lock)
            return _table.TryGet(peer, out session);
    }

    private DropReason OnStranger(in Arrival arrival, ReadOnlySpan<byte> datagram)
    {
        DropReason drop = Open(datagram, out ReadOnlySpan<byte> payload);
        if (drop != DropReason.None)
            return drop;
        uint conv;
        lock (_lock)
            drop = _table.Admit(payload, out conv);
        if (drop == DropReason.None && !Sessions.Budget.HasRoom)
            return Refuse(arrival);
        if (drop == DropReason.None)
            return Create(arrival, conv, payload);
        if (drop == DropReason.UnknownPeer)
            AnswerUnknown(arrival, payload);
        return drop;
    }

    /// <summary>Tells a client whose session was lost (with a restart, say) that it was, so that it begins anew at once.</summary>
    private void AnswerUnknown(in Arrival arrival, ReadOnlySpan<byte> payload)
    {
        if (SessionTable<PeerSession>.AnswerUnknown(payload) is not { } answer || !_answers.TryTake(Now))
            return;
        LeaveCurrent();
        PeerPath path = Carrier.Answer(Link, arrival);
        int guardLength = Sessions.Stamp is null ? 0 : Guard.PrefixLength;
        int headroom = path.Headroom + guardLength;
        byte[] frame = new byte[headroom + _cipher.Overhead + KcpSegment.HeaderLength];
        answer.Write(frame.AsSpan(headroom + _cipher.HeaderLength));
        _cipher.Seal(frame.AsSpan(headroom));
        Sessions.Stamp?.Write(frame.AsSpan(path.Headroom, guardLength));
        path.Send(frame, frame.Length);
    }

    /// <summary>
    /// A known address speaks of another conversation. If it begins there (segment 0), the peer started anew and its old session
    /// ends; anything else is a straggler.
    /// </summary>
    private DropReason OnOtherConversation(in Arrival arrival, ReadOnlySpan<byte> datagram, PeerSession old)
    {
        DropReason drop = Open(datagram, out ReadOnlySpan<byte> payload);
        if (drop != DropReason.None)
            return drop;
        drop = SessionTable<PeerSession>.Begins(payload, out uint conv, anew: true);
        if (drop != DropReason.None || conv == old.Conv)
            return DropReason.Conversation;
        LeaveCurrent();
        old.Close(CloseReason.Replaced);
        return Create(arrival, conv, payload);
    }

    private DropReason Open(ReadOnlySpan<byte> datagram, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (datagram.Length > _scratch.Length)
            return DropReason.TooLong;
        return _cipher.TryOpen(datagram, _scratch, out payload) ? DropReason.None : DropReason.Cipher;
    }

    private DropReason Refuse(in Arrival arrival)
    {
        OutOfMemory?.Invoke(arrival.Peer);
        return DropReason.Memory;
    }

    private DropReason Create(in Arrival arrival, uint conv, ReadOnlySpan<byte> payload)
    {
        Session session = Sessions.CreateSession(conv, isClient: false, Now);
        var peer = new PeerSession(session, Carrier.Answer(Link, arrival), arrival.Peer, Sessions.Stamp, _deadlines, this)
        {
            Budget = Sessions.Budget,
        };
        lock (_lock)
            _table.Set(arrival.Peer, peer);
        SessionOpened?.Invoke(peer);
        Enter(peer);
        return peer.ReceiveOpened(payload, Now);
    }
}
