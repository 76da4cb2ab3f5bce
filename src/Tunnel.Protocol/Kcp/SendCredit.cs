namespace Tunnel.Protocol.Kcp;

/// <summary>
/// What may leave now, in bytes of data: it grows with time by the rate, up to a burst, and what leaves is taken off it (a token bucket). It may
/// go below nothing, by one segment: the next one waits for it.
/// </summary>
/// <remarks>Times are milliseconds, rates bytes a millisecond.</remarks>
internal struct SendCredit
{
    /// <summary>What may leave at once: segments, and milliseconds of the rate (a loop that wakes late catches up).</summary>
    private const int BurstSegments = 10;
    private const int BurstMilliseconds = 2;

    private double _bytes;
    private long _at;

    public readonly bool IsLeft => _bytes > 0;

    /// <summary>Time has passed since it last grew.</summary>
    public readonly bool IsDue(long now) => now > _at;

    public void Grow(long now, double rate, int segmentSize)
    {
        double burst = Math.Max(BurstSegments * segmentSize, BurstMilliseconds * rate);
        _bytes = Math.Min(burst, _bytes + ((now - _at) * rate));
        _at = now;
    }

    public void Spend(int bytes) => _bytes -= bytes;

    /// <summary>When there is some again, if there is none now.</summary>
    public readonly long NextAt(long now, double rate) => now + Math.Max(1, (long)Math.Ceiling(-_bytes / rate));
}
