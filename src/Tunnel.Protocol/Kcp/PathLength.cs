namespace Tunnel.Protocol.Kcp;

/// <summary>
/// How long a path is there and back: the least round trip of the last seconds, and on top of it the gaps between acknowledgements of a peer
/// that gathers them. A queue that never empties hides how long the path is, so once it is forgotten, it is looked at with little under way.
/// </summary>
/// <remarks>Times are milliseconds, transmissions are numbered in their order.</remarks>
internal struct PathLength
{
    /// <summary>For how long the path is taken for as short as it once was.</summary>
    private const int MemoryMilliseconds = 10_000;

    /// <summary>For so many whole rounds little is under way to see how long the path is: one empties the queue, one goes through it.</summary>
    private const int LookRounds = 2;

    /// <summary>Of a path before anything came back on it.</summary>
    private const int UnknownLength = 1000;

    /// <summary>Between two acknowledgements of a peer that gathers them: KCP's slowest mode has 40, and nobody means a second.</summary>
    private const int LongestGap = 200;

    private const long Never = long.MinValue;

    /// <summary>Round trips longer than the path by this share of it say that there is a queue.</summary>
    private const int QueueShare = 8;

    private int _least = int.MaxValue;
    private int _lookLeast;
    private long _leastAt;
    private int _lookRounds;
    private int _gap;
    private int _gapBefore;
    private ulong _forgotten;
    private long _acknowledgedAt = Never;

    public PathLength()
    {
    }

    /// <summary>Of the path alone, without a queue and without gaps.</summary>
    public readonly int Milliseconds => _least == int.MaxValue ? UnknownLength : _least;

    /// <summary>The longest gap between acknowledgements of late.</summary>
    public readonly int Gap => Math.Max(_gap, _gapBefore);

    /// <summary>Peers that gather acknowledgements tell the round trip of the newest one only; the others wait longer.</summary>
    public readonly int Delay => Milliseconds + Gap;

    /// <summary>Little should be under way now, so that the length shows.</summary>
    public readonly bool IsLooking => _lookRounds != 0;

    /// <summary>Whether a round trip is longer than the path: it waited in a queue.</summary>
    public readonly bool HasQueue(int roundTrip) => roundTrip > Milliseconds + Math.Max(2, Milliseconds / QueueShare);

    /// <summary>The path is another one: what was sent up to <paramref name="sent"/> says nothing about it.</summary>
    public void Forget(ulong sent) => (_least, _lookRounds, _forgotten) = (int.MaxValue, 0, sent);

    /// <summary>Whether a round trip is this path's.</summary>
    /// <param name="transmission">The one that made it.</param>
    public readonly bool Concerns(ulong transmission) => transmission > _forgotten;

    /// <summary>
    /// Takes a round trip. Sessions that share a queue see it empty at the same time, so that they look at the same time from then on.
    /// </summary>
    /// <param name="sample">One of this path.</param>
    /// <param name="now">By the clock of the samples.</param>
    /// <param name="wasAlone">It began with nothing else under way, so there was no queue of ours.</param>
    public void Add(int sample, long now, bool wasAlone)
    {
        bool isForgotten = now - _leastAt >= MemoryMilliseconds;
        if (sample <= _least || (isForgotten && wasAlone))
            (_least, _leastAt, _lookRounds) = (sample, now, 0);
        else if (_lookRounds != 0)
            _lookLeast = Math.Min(_lookLeast, sample);
        else if (isForgotten)
            (_lookRounds, _lookLeast) = (LookRounds + 1, sample);
    }

    /// <summary>An acknowledgement has come.</summary>
    public void OnAcknowledged(long now)
    {
        if (_acknowledgedAt != Never)
            _gap = Math.Max(_gap, (int)Math.Min(now - _acknowledgedAt, LongestGap));
        _acknowledgedAt = now;
    }

    /// <summary>Something leaves while nothing is under way: the silence until its acknowledgement comes is no gap, it is the path.</summary>
    public void OnRestart() => _acknowledgedAt = Never;

    /// <summary>A round is over, of a look, too.</summary>
    public void EndRound(long now)
    {
        if (_lookRounds != 0 && --_lookRounds == 0)
            (_least, _leastAt) = (_lookLeast, now);
    }

    /// <summary>The gaps of the cycle before last do not count any more.</summary>
    public void EndCycle() => (_gapBefore, _gap) = (_gap, 0);
}
