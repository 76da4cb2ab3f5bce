namespace Tunnel.App.Services;

/// <summary>
/// What went through a flow of datagrams, and for how long a silence it is kept. A short exchange with a well-known port (DNS, NTP) is over
/// when it has been answered; everything else is kept as long as RFC 4787 wants a NAT to. Times in milliseconds. One thread counts a
/// direction; any may ask.
/// </summary>
/// <param name="limits">How long.</param>
/// <param name="port">Where its datagrams go.</param>
/// <param name="now">It begins.</param>
internal sealed class UdpActivity(UdpLimits limits, int port, long now)
{
    /// <summary>A resolver's two questions, each asked twice. Whatever says more than that is a conversation.</summary>
    private const int LongestExchange = 4;

    private const int FirstOrdinaryPort = 1024;

    private int _sent;
    private int _received;
    private long _lastAt = now;

    /// <summary>All that was asked has been answered, and there is no reason to expect more.</summary>
    public bool IsAnswered => IsExchange && Volatile.Read(ref _received) >= Volatile.Read(ref _sent);

    /// <summary>When it ends if nothing more goes either way.</summary>
    public long EndsAt => LastAt + (long)Patience.TotalMilliseconds;

    /// <summary>Of several flows, when there are too many, the one with the smallest goes first; a time.</summary>
    public long Worth => LastAt + (long)Kept.TotalMilliseconds;

    /// <summary>When something last went through; a time.</summary>
    public long LastAt => Volatile.Read(ref _lastAt);

    /// <summary>
    /// The silence for which it is kept when there are too many. Not the same as patience: what nobody answers is given time while there is room,
    /// as the RFC wants it, but not room that others need.
    /// </summary>
    public TimeSpan Kept =>
        IsAnswered ? limits.Answered : Volatile.Read(ref _received) == 0 ? Shorter(limits.Unanswered, limits.Idle) : limits.Idle;

    private TimeSpan Patience => IsAnswered ? limits.Answered : IsExchange ? Shorter(limits.Unanswered, limits.Idle) : limits.Idle;

    private bool IsExchange => port < FirstOrdinaryPort && Volatile.Read(ref _sent) <= LongestExchange;

    /// <summary>The application has sent a datagram.</summary>
    public void CountSent(long now)
    {
        Volatile.Write(ref _lastAt, now);
        Interlocked.Increment(ref _sent);
    }

    /// <summary>One has come back.</summary>
    public void CountReceived(long now)
    {
        Volatile.Write(ref _lastAt, now);
        Interlocked.Increment(ref _received);
    }

    private static TimeSpan Shorter(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
