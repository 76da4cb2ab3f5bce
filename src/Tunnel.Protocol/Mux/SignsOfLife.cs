namespace Tunnel.Protocol.Mux;

/// <summary>
/// When this end says that it is there, and since when the peer has not. Times are milliseconds. What an end says at its own time falls on a
/// grid that all sessions of a host share, so that those with nothing else to do wake together, a few at a time.
/// </summary>
internal struct SignsOfLife
{
    /// <summary>Instants of the grid in an interval: the sessions of a large server must not all speak at the same one.</summary>
    private const int Slots = 16;

    /// <summary>Where both ends would ask, the one that waits longer by this part of its interval only answers.</summary>
    private const int AnswererPart = 8;

    private readonly int _interval;
    private readonly int _timeout;
    private readonly bool _asks;

    /// <param name="options">Valid knobs.</param>
    /// <param name="asks">Where one of the two is enough, this end speaks first.</param>
    /// <param name="phase">Differs from session to session, lest those that begin together speak together.</param>
    /// <param name="now">The session begins.</param>
    public SignsOfLife(MuxOptions options, bool asks, uint phase, long now)
    {
        (_interval, _timeout, _asks) = (options.KeepAlive, options.KeepAliveTimeout, asks);
        HeardAt = now;
        NextAt = Align(now + _interval - phase % (uint)Math.Max(1, _interval / 2));
    }

    /// <summary>When the peer last said anything, or acknowledged what it had not before.</summary>
    public long HeardAt { get; private set; }

    /// <summary>When <see cref="TryTakeTurn"/> is wanted, never later than an interval after it was there before.</summary>
    public long NextAt { get; private set; }

    /// <summary>When the peer counts as dead if nothing comes.</summary>
    public readonly long DeadAt => HeardAt + _timeout;

    /// <summary>
    /// The peer takes an acknowledgement for a sign of life, as this end does: so one question and its answer are enough for both, and none
    /// where there is traffic.
    /// </summary>
    public bool OneIsEnough { get; set; }

    public void Hear(long at) => HeardAt = Math.Max(HeardAt, at);

    /// <summary>
    /// This end was held up for so long, which does not count as the peer's silence; and some time is left to read what came meanwhile.
    /// </summary>
    public void Excuse(long time, long timeToRead, long now) =>
        HeardAt = Math.Min(now, Math.Max(HeardAt + time, now - _timeout + timeToRead));

    /// <summary>The time for a sign of life has come; <paramref name="isSilent"/>: and it is wanted.</summary>
    public bool TryTakeTurn(long now, out bool isSilent)
    {
        isSilent = false;
        if (now < NextAt)
            return false;
        // Looked at only now: whoever is heard with every packet need not put anything off with every packet.
        long due = OneIsEnough ? Align(HeardAt + Patience) : now;
        isSilent = due <= now;
        NextAt = isSilent ? Align(now + _interval) : due;
        return true;
    }

    /// <summary>
    /// A little longer at the end that answers: its peer, whose interval is the same as a rule, is then always the first. Not so long that
    /// nothing could come back before it gives up.
    /// </summary>
    private readonly int Patience => _asks ? _interval : _interval + Math.Min(_interval / AnswererPart, (_timeout - _interval) / 2);

    /// <summary>The grid's last instant that is not after it.</summary>
    private readonly long Align(long time) => time - time % Math.Max(1, _interval / Slots);
}
