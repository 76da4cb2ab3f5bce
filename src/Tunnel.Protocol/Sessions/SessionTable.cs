using System.Diagnostics.CodeAnalysis;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Wire;

namespace Tunnel.Protocol.Sessions;

/// <summary>
/// The server's sessions by remote address, as kcp-go keeps them: an address has one session; another conversation from it is a new
/// session only when it begins (segment 0). The cap is checked before anything is made.
/// </summary>
/// <typeparam name="T">What the owner keeps for each peer.</typeparam>
public sealed class SessionTable<T>(int maxSessions)
    where T : class
{
    private readonly Dictionary<Endpoint, T> _sessions = [];

    public int Count => _sessions.Count;

    /// <summary>The cap; sessions that are over it already stay.</summary>
    public int MaxSessions { get; set; } = maxSessions;

    public IReadOnlyCollection<T> Sessions => _sessions.Values;

    public bool TryGet(in Endpoint peer, [NotNullWhen(true)] out T? session) => _sessions.TryGetValue(peer, out session);

    /// <summary>
    /// Judges the first datagram of somebody unknown (an opened payload): <see cref="DropReason.None"/> when a session should be
    /// made for <paramref name="conv"/>.
    /// </summary>
    public DropReason Admit(ReadOnlySpan<byte> payload, out uint conv)
    {
        conv = 0;
        DropReason drop = Begins(payload, out conv);
        if (drop != DropReason.None)
            return drop;
        return _sessions.Count >= MaxSessions ? DropReason.SessionLimit : DropReason.None;
    }

    /// <summary>
    /// Judges a datagram of another conversation than the address's session: <see cref="DropReason.None"/> when it begins a new one
    /// that takes the old one's place.
    /// </summary>
    /// <param name="payload">An opened datagram.</param>
    /// <param name="conv">Its conversation.</param>
    /// <param name="anew">The address has a session already: only segment 0 may take its place, so that a straggler of an
    /// earlier conversation cannot.</param>
    public static DropReason Begins(ReadOnlySpan<byte> payload, out uint conv, bool anew = false)
    {
        conv = 0;
        DropReason drop = Datagram.Classify(payload);
        if (drop != DropReason.None)
            return drop;
        if (!KcpSegment.TryRead(payload, out KcpSegment first))
            return DropReason.TooShort;
        conv = first.Conv;
        // A first flight may arrive out of order, so any of its segments may begin the conversation; one from the middle of a
        // conversation that this end has forgotten must not: it could never be completed.
        bool begins = first is { Command: KcpCommand.Push, Unacknowledged: 0 } && first.Number < (anew ? 1 : FirstFlight);
        return begins ? DropReason.None : DropReason.UnknownPeer;
    }

    /// <summary>
    /// The answer to a datagram from the middle of a conversation that nobody here knows: one header, which says so and echoes the
    /// datagram's first segment. Null when none is due. Never longer than what it answers; it comes sealed, so only an end that has
    /// the key can say it.
    /// </summary>
    public static KcpSegment? AnswerUnknown(ReadOnlySpan<byte> payload)
    {
        if (!KcpSegment.TryRead(payload, out KcpSegment first) || first.Command is not (KcpCommand.Push or KcpCommand.Part))
            return null;
        return new KcpSegment(first.Conv, KcpCommand.Unknown, 0, 0, first.Timestamp, first.Number, 0, 0);
    }

    public void Set(in Endpoint peer, T session) => _sessions[peer] = session;

    /// <summary>Removes the peer's entry if it is still this one.</summary>
    public bool Remove(in Endpoint peer, T session) =>
        _sessions.TryGetValue(peer, out T? current) && ReferenceEquals(current, session) && _sessions.Remove(peer);

    /// <summary>Segments that a peer may send before it has heard anything.</summary>
    private const uint FirstFlight = 128;
}
