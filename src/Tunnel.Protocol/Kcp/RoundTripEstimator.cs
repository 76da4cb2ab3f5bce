namespace Tunnel.Protocol.Kcp;

/// <summary>
/// Smoothed round-trip time and the retransmission timeout from it, in milliseconds (KCP's form of RFC 6298). The variance forgets within
/// some samples, which come in thousands a second: a host that once in a while holds a process up for longer than the timeout would make
/// each of those pauses a loss. So the timeout is not below the longest round trip of the last seconds, up to KCP's initial timeout; and
/// on a short path not below that one while it loses nothing: there a pause is longer than the path, and whatever is late is late.
/// </summary>
internal struct RoundTripEstimator
{
    public const int MaximumTimeout = 60_000;

    private const int InitialTimeout = 200;

    /// <summary>For how long a round trip is remembered at least; at most for twice that.</summary>
    private const int MemoryMilliseconds = 10_000;

    private const int LossMemoryMilliseconds = 60_000;

    /// <summary>Hosts that are further apart have something between them that may lose, and wait longer for it than they pause.</summary>
    private const int ShortPath = 10;

    /// <summary>Milliseconds; the wheel of timeouts is little finer.</summary>
    private const int LeastPatience = 5;

    private readonly int _interval;
    private readonly int _minimum;
    private int _variance;
    private int _longest;
    private int _longestBefore;
    private int _shortest;
    private int _shortestBefore;
    private long _rememberedUntil;
    private long _suspectUntil;
    private long _lossyUntil;
    private long _lastLoss;

    public RoundTripEstimator(bool noDelay, int interval)
    {
        _interval = interval;
        _minimum = noDelay ? 30 : 100;
        Timeout = InitialTimeout;
        (_lossyUntil, _lastLoss) = (long.MinValue, long.MinValue / 2);
        (_shortest, _shortestBefore) = (MaximumTimeout, MaximumTimeout);
    }

    public int Timeout { get; private set; }

    /// <summary>0 until the first sample.</summary>
    public int Smoothed { get; private set; }

    /// <summary>
    /// When the end of what was sent at <paramref name="now"/> is to be sent once more: after a fraction of the round trip, where something was lost within
    /// the last minute or nothing is known yet of a minute; on a short path where it is sure to have been lost. MaxValue: not at all.
    /// </summary>
    public readonly long TailAt(long now) =>
        now < (IsShortPath ? _lossyUntil : _suspectUntil) ? now + Math.Max(LeastPatience, Smoothed / 4) : long.MaxValue;

    private readonly bool IsShortPath => Math.Min(_shortest, _shortestBefore) < ShortPath;

    /// <summary>The path was heard of, and seems to lose nothing: not twice within seconds, for a minute.</summary>
    public readonly bool IsLossless(long now) => Smoothed != 0 && now >= _lossyUntil;

    /// <param name="sample">A round trip.</param>
    /// <param name="now">By the clock of the timeouts.</param>
    public void Add(int sample, long now)
    {
        // An echo is the peer's word; a false one must not overflow the sums below.
        sample = Math.Min(sample, MaximumTimeout);
        if (Smoothed == 0)
        {
            Smoothed = sample;
            _variance = sample / 2;
            _suspectUntil = now + LossMemoryMilliseconds;
        }
        else
        {
            int delta = sample - Smoothed;
            // Shifts round down, so that a mean above the samples comes all the way back.
            Smoothed += delta >> 3;
            delta = Math.Abs(delta);
            // A sample below the mean by more than the variance says the path got better, not less certain.
            _variance += sample < Smoothed - _variance ? (delta - _variance) >> 5 : (delta - _variance) >> 2;
        }

        Smoothed = Math.Max(Smoothed, 1);
        Remember(sample, now);
        Timeout = Math.Clamp(Smoothed + Math.Max(_interval, 4 * _variance), LeastTimeout(now), MaximumTimeout);
    }

    /// <summary>
    /// Something seems to have been lost. Twice within seconds it was: for a minute, what is late is taken for lost as early as KCP does. Once may be
    /// a peer that read a segment and its copy together and answers only the copy.
    /// </summary>
    public void OnLoss(long now)
    {
        if (now < _lossyUntil || now - _lastLoss <= MemoryMilliseconds)
            _lossyUntil = now + LossMemoryMilliseconds;
        _lastLoss = now;
        _suspectUntil = now + LossMemoryMilliseconds;
    }

    /// <summary>With a quarter on top of the longest: the next pause is seldom just as long.</summary>
    private readonly int LeastTimeout(long now)
    {
        if (now >= _lossyUntil && IsShortPath)
            return InitialTimeout;
        int longest = Math.Max(_longest, _longestBefore);
        return Math.Clamp(longest + (longest / 4), _minimum, InitialTimeout);
    }

    private void Remember(int sample, long now)
    {
        if (now >= _rememberedUntil)
        {
            // The first sample of all may come at any time; one after a long silence has nothing to remember.
            bool isRecent = now - _rememberedUntil < MemoryMilliseconds;
            (_longestBefore, _longest) = (isRecent ? _longest : 0, 0);
            (_shortestBefore, _shortest) = (isRecent ? _shortest : MaximumTimeout, MaximumTimeout);
            _rememberedUntil = now + MemoryMilliseconds;
        }

        _longest = Math.Max(_longest, sample);
        _shortest = Math.Min(_shortest, sample);
    }
}
