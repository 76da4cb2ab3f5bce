using Tunnel.Links;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>
/// One of a server's links, whose datagrams go to the sessions that all of them share. Nothing is made for a stranger before the guard,
/// the cipher and the cap have let him pass.
/// </summary>
public sealed class ServerReceiver : LinkReceiver
{
    private readonly ServerSessions _sessions;
    private readonly DatagramCipher _cipher;
    private readonly byte[] _scratch = new byte[KcpEngine.LargestDatagram];

    /// <param name="link">Owned from now on.</param>
    /// <param name="sessions">Whose datagrams come.</param>
    /// <param name="index">Of the link among the server's.</param>
    public ServerReceiver(ReplaceableLink link, ServerSessions sessions, int index = 0)
        : base(link, sessions.Carrier, sessions.Factory, index)
    {
        _sessions = sessions;
        _cipher = sessions.Factory.CreateCipher();
    }

    protected override DropReason OnDatagram(in Arrival arrival, ReadOnlySpan<byte> datagram)
    {
        // Nearly always the one before's: the kernel gives a flow's datagrams in rows.
        PeerSession? session = Current;
        if ((session is null || session.Peer != arrival.Peer || session.SharesPath) && !_sessions.TryGet(arrival.Peer, out session))
            return OnStranger(arrival, datagram);
        Enter(session);
        DropReason drop = session.Receive(datagram, arrival, Now);
        if (drop is not (DropReason.Conversation or DropReason.Closed))
            return drop;
        return OnOtherConversation(arrival, datagram, session);
    }

    private DropReason OnStranger(in Arrival arrival, ReadOnlySpan<byte> datagram)
    {
        if (_sessions.IsDraining)
            return DropReason.Draining;
        DropReason drop = Open(datagram, out ReadOnlySpan<byte> payload);
        if (drop != DropReason.None)
            return drop;
        LeaveCurrent();
        drop = _sessions.Admit(arrival, payload, Now, out PeerSession? session);
        if (drop == DropReason.None)
            return Begin(session!, payload);
        if (drop == DropReason.UnknownPeer)
            AnswerUnknown(arrival, payload);
        return drop;
    }

    /// <summary>Tells a client whose session was lost (with a restart, say) that it was, so that it begins anew at once.</summary>
    private void AnswerUnknown(in Arrival arrival, ReadOnlySpan<byte> payload)
    {
        if (SessionTable<PeerSession>.AnswerUnknown(payload) is not { } answer || !_sessions.Answers.TryTake(Now))
            return;
        PeerPath path = Carrier.AnswerOnce(Link, arrival);
        int guardLength = Sessions.Stamp is null ? 0 : Guard.PrefixLength;
        int headroom = path.Headroom + guardLength;
        byte[] frame = new byte[headroom + _cipher.Overhead + KcpSegment.HeaderLength];
        answer.Write(frame.AsSpan(headroom + _cipher.HeaderLength));
        _cipher.Seal(frame.AsSpan(headroom));
        Sessions.Stamp?.Write(frame.AsSpan(path.Headroom, guardLength));
        path.Send(frame, frame.Length);
        if (Sessions.Log is { IsRead: true } log)
            log.Sent(frame.Length, frame.Length, path.Headroom, Link.Name, arrival.Peer);
    }

    /// <summary>
    /// A known address speaks of another conversation: the one that has begun beside its session, or, at segment 0, one that begins now;
    /// anything else is a straggler.
    /// </summary>
    private DropReason OnOtherConversation(in Arrival arrival, ReadOnlySpan<byte> datagram, PeerSession old)
    {
        if (_sessions.TryGetSuccessor(arrival.Peer, out PeerSession? successor) && TryReceive(successor, datagram, arrival, out DropReason drop))
            return drop;
        drop = Open(datagram, out ReadOnlySpan<byte> payload);
        if (drop != DropReason.None)
            return drop;
        drop = SessionTable<PeerSession>.Begins(payload, out uint conv, anew: true);
        if (drop != DropReason.None || conv == old.Conv)
            return DropReason.Conversation;
        if (_sessions.IsDraining)
            return DropReason.Draining;
        LeaveCurrent();
        drop = _sessions.Succeed(arrival, old, conv, Now, out PeerSession? session);
        return drop == DropReason.None ? Begin(session!, payload) : drop;
    }

    /// <summary>False when the datagram is not of the successor's conversation.</summary>
    private bool TryReceive(PeerSession successor, ReadOnlySpan<byte> datagram, in Arrival arrival, out DropReason drop)
    {
        Enter(successor);
        drop = successor.Receive(datagram, arrival, Now);
        if (drop is DropReason.Conversation or DropReason.Closed)
            return false;
        if (!successor.IsProven)
            return true;
        LeaveCurrent();
        _sessions.Promote(successor);
        return true;
    }

    private DropReason Begin(PeerSession session, ReadOnlySpan<byte> payload)
    {
        Enter(session);
        return session.ReceiveOpened(payload, Now);
    }

    private DropReason Open(ReadOnlySpan<byte> datagram, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (datagram.Length > _scratch.Length)
            return DropReason.TooLong;
        return _cipher.TryOpen(datagram, _scratch, out payload) ? DropReason.None : DropReason.Cipher;
    }
}
