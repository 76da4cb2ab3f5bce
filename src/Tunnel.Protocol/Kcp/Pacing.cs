namespace Tunnel.Protocol.Kcp;

/// <summary>
/// How fast a path takes what is sent, and so when the next segment may leave: BBR's model (draft-ietf-ccwg-bbr). The bottleneck's rate is
/// the best delivery rate of the last ten rounds, the path's length the least round trip of the last seconds; sending is spread by the
/// one, and what is under way bounded by both. Loss by itself slows nothing down, so a lossy path is used in full; but a window's worth
/// sent at once, most of which the queue before the bottleneck would lose, is spread.
/// </summary>
/// <remarks>
/// Times are milliseconds, rates bytes of data a millisecond, transmissions are numbered in their order. A round is the time from a
/// transmission to its acknowledgement.
/// </remarks>
internal sealed class Pacing(int segmentSize)
{
    /// <summary>A shorter path is a cable: the queue is the hosts' own, and a clock of milliseconds has no say in it.</summary>
    private const int ShortestPath = 4;

    /// <summary>For how long the path is taken for as short as it once was.</summary>
    private const int MemoryMilliseconds = 10_000;

    /// <summary>For so many whole rounds little is under way to see how long the path is: one empties the queue, one goes through it.</summary>
    private const int LookRounds = 2;

    /// <summary>Of a path before anything came back on it.</summary>
    private const int UnknownLength = 1000;

    private const int RateRounds = 10;
    private const int ShortestRound = 10;

    /// <summary>Between two acknowledgements of a peer that gathers them: KCP's slowest mode has 40, and nobody means a second.</summary>
    private const int LongestGap = 200;

    /// <summary>Segments in a round trip before anything is known about the path, times the first gain.</summary>
    private const int InitialSegments = 256;

    private const int LeastSegments = 4;

    /// <summary>What may leave at once: segments, and milliseconds of the rate (a loop that wakes late catches up).</summary>
    private const int BurstSegments = 10;
    private const int BurstMilliseconds = 2;

    /// <summary>2/ln 2: the least that doubles what is delivered with each round.</summary>
    private const double StartGain = 2.885;

    /// <summary>Three rounds with less growth than this: the path is full.</summary>
    private const double StartGrowth = 1.25;
    private const int FlatRounds = 3;

    /// <summary>BBR has 2. Sessions that share a bottleneck keep its queue shorter so, and lose a tenth as much in it.</summary>
    private const double FlightGain = 1.5;
    private const double LookFlightGain = 0.25;

    /// <summary>Round trips longer than the path by this share of it say that there is a queue.</summary>
    private const int QueueShare = 8;

    /// <summary>More lost than usual, and more than chance, behind a queue: somebody else sends too.</summary>
    private const double CrowdedLoss = 0.05;
    private const int LeastLost = 3;

    /// <summary>
    /// What is left of the rate, once a cycle at most, and half of the memory's best in any case: a path that only became longer, or loses more
    /// than it did, looks crowded too, and there the cycle's faster round wins back more than this.
    /// </summary>
    private const double LossYield = 0.85;
    private const double QueueYield = 0.9;
    private const double LeastOfBest = 0.5;

    /// <summary>Segments in a round that make a queue worth believing while the application is the slower one.</summary>
    private const int TellingSegments = 64;

    private const double MostLoss = 0.5;

    /// <summary>In the round after more was tried, less is sent, which empties the queue that it made.</summary>
    private const int SlowRound = 1;
    private const double Growth = 1.1;

    private static readonly double[] Cycle = [1.25, 0.75, 1, 1, 1, 1, 1, 1];

    private readonly double[] _rates = new double[RateRounds];
    private int _rateAt;
    private double _rate;
    private bool _isRateKnown;

    private int _least = int.MaxValue;
    private long _leastAt;
    private int _lookLeast;
    private int _lookRounds;
    private ulong _forgotten;
    private long _bestSince;
    private int _gap;
    private int _gapBefore;
    private long _acknowledgedAt;

    private Phase _phase;
    private double _fullRate;
    private int _flatRounds;
    private int _cycle;
    private double _cycleRate;
    private double _bestRate;
    private bool _hasYielded;
    private bool _alwaysQueued = true;

    private ulong _roundFrom;
    private long _roundBegan;
    private long _roundDelivered;
    private int _roundLeast = int.MaxValue;
    private int _roundLost;
    private bool _roundIsFirst = true;
    private ulong _idleUntil;
    private ulong _boundUntil;

    private double _loss;

    /// <summary>How long the path was thought to be when its loss was learnt.</summary>
    private int _lossLength;
    private ulong _slowFrom;
    private ulong _slowUntil;
    private int _slowLost;

    private double _credit;
    private long _creditAt;

    private enum Phase : byte
    {
        Start,
        Drain,
        Steady,
    }

    /// <summary>Bytes of data a second that may leave now; 0 while not paced.</summary>
    public long BytesPerSecond => IsOn ? (long)(Rate * 1000) : 0;

    /// <summary>Bytes of data that may be under way.</summary>
    public int FlightLimit
    {
        get
        {
            if (!IsOn)
                return int.MaxValue;
            double gain = _lookRounds != 0 ? LookFlightGain : _phase == Phase.Start ? StartGain : FlightGain;
            return (int)Math.Clamp(gain * Needed * Delay, LeastSegments * segmentSize, int.MaxValue);
        }
    }

    /// <summary>False on a path that is too short to be paced, and before anything has come back.</summary>
    private bool IsOn { get; set; }

    /// <summary>Peers that gather acknowledgements tell the round trip of the newest one only; the others wait longer.</summary>
    private int Delay => Length + Math.Max(_gap, _gapBefore);

    private int Length => _least == int.MaxValue ? UnknownLength : _least;

    private double Bottleneck => Math.Max(_rate, (double)(_isRateKnown ? LeastSegments : InitialSegments) * segmentSize / Length);

    /// <summary>What has to leave for the bottleneck to be full, where some is lost on the way.</summary>
    private double Needed => Bottleneck / (1 - _loss);

    private double Rate => Needed * _phase switch
    {
        Phase.Start => StartGain,
        Phase.Drain => 1 / StartGain,
        _ => Cycle[_cycle],
    };

    private bool HasQueue => _roundLeast != int.MaxValue && IsQueueAbove(_roundLeast);

    /// <summary>The way to the peer is another one: how long it is shows what is sent from now on.</summary>
    /// <param name="sent">The newest transmission.</param>
    public void Forget(ulong sent)
    {
        (_least, _lookRounds, _roundLeast, _forgotten) = (int.MaxValue, 0, int.MaxValue, sent);
        (_phase, _fullRate, _flatRounds, _loss) = (Phase.Start, 0, 0, 0);
    }

    /// <summary>Takes a round trip.</summary>
    /// <param name="sample">Milliseconds.</param>
    /// <param name="transmission">The one that made it; 0 when that is not known.</param>
    /// <param name="now">Milliseconds.</param>
    public void AddRoundTrip(int sample, ulong transmission, long now)
    {
        if (transmission <= _forgotten)
            return;
        sample = Math.Clamp(sample, 1, RoundTripEstimator.MaximumTimeout);
        FollowLength(sample, now);
        _roundLeast = Math.Min(_roundLeast, sample);
        // What was taken for the path's loss was lost in a queue that was taken for the path.
        if (IsQueueAbove(_lossLength))
            _loss = _lossLength = 0;
        IsOn = Length >= ShortestPath;
    }

    /// <summary>Takes what acknowledgements said.</summary>
    /// <param name="delivered">Bytes of data that the peer has acknowledged since the beginning.</param>
    /// <param name="acknowledged">The newest transmission that arrived.</param>
    /// <param name="sent">The newest transmission.</param>
    /// <param name="underWay">Bytes of data that are neither acknowledged nor known to be lost.</param>
    /// <param name="now">Milliseconds.</param>
    public void OnAcknowledged(long delivered, ulong acknowledged, ulong sent, int underWay, long now)
    {
        _gap = Math.Max(_gap, (int)Math.Min(now - _acknowledgedAt, LongestGap));
        _acknowledgedAt = now;
        if (_phase == Phase.Drain && underWay <= Bottleneck * Delay)
            _phase = Phase.Steady;
        if (acknowledged <= _roundFrom || now - _roundBegan < ShortestRound)
            return;
        bool wasIdle = _roundIsFirst || _idleUntil > _roundFrom;
        bool isLess = wasIdle || _boundUntil > _roundFrom;
        long bytes = delivered - _roundDelivered;
        if (_phase == Phase.Steady)
            FollowCrowd(sent, wasIdle);
        EndLook(now);
        EndRound((double)bytes / (now - _roundBegan), wasIdle, isLess, bytes >= TellingSegments * segmentSize);
        ForgetBest(now);
        (_roundFrom, _roundBegan, _roundDelivered) = (sent, now, delivered);
        (_roundIsFirst, _roundLost, _roundLeast) = (!IsOn, 0, int.MaxValue);
    }

    /// <summary>A transmission has been declared lost.</summary>
    public void OnLost(ulong transmission)
    {
        _roundLost++;
        if (transmission >= _slowFrom && transmission < _slowUntil)
            _slowLost++;
    }

    /// <summary>There was nothing to send: the rate until all that was sent before has arrived is the application's, not the path's.</summary>
    public void OnIdle(ulong sent) => _idleUntil = sent + 1;

    /// <summary>
    /// What is under way was at its limit: less than the rate may arrive then, and would lower the limit in its turn, the more so on a path that
    /// became longer than the limit was made for.
    /// </summary>
    public void OnBound(ulong sent) => _boundUntil = sent + 1;

    /// <summary>
    /// Something leaves while nothing is under way. The round that begins ends with the first of many acknowledgements: it says nothing.
    /// </summary>
    public void OnRestart(long delivered, ulong sent, long now)
    {
        (_roundFrom, _roundBegan, _roundDelivered, _acknowledgedAt) = (sent, now, delivered, now);
        (_roundIsFirst, _roundLost, _roundLeast) = (true, 0, int.MaxValue);
    }

    /// <summary>Whether a segment may leave now; <see cref="OnSent"/> says that it did.</summary>
    public bool Allows(long now)
    {
        if (!IsOn)
            return true;
        if (now > _creditAt)
        {
            double burst = Math.Max(BurstSegments * segmentSize, BurstMilliseconds * Rate);
            _credit = Math.Min(burst, _credit + ((now - _creditAt) * Rate));
            _creditAt = now;
        }

        return _credit > 0;
    }

    /// <summary>Takes note of a segment's bytes of data. Credit may go below nothing: the next one waits for it.</summary>
    public void OnSent(int bytes)
    {
        if (IsOn)
            _credit -= bytes;
    }

    /// <summary>When there is credit again for a segment that is not allowed now.</summary>
    public long NextAt(long now) => now + Math.Max(1, (long)Math.Ceiling(-_credit / Rate));

    /// <summary>
    /// A queue that never empties hides how long the path is; with little under way it shows. Sessions that share the queue see it empty at
    /// the same time, so that they look at the same time from then on.
    /// </summary>
    private void FollowLength(int sample, long now)
    {
        bool isForgotten = now - _leastAt >= MemoryMilliseconds;
        // With nothing under way there is no queue of ours.
        if (sample <= _least || (isForgotten && _roundIsFirst))
            (_least, _leastAt, _lookRounds) = (sample, now, 0);
        else if (_lookRounds != 0)
            _lookLeast = Math.Min(_lookLeast, sample);
        else if (isForgotten)
            (_lookRounds, _lookLeast) = (LookRounds + 1, sample);
    }

    private bool IsQueueAbove(int roundTrip) => roundTrip > Length + Math.Max(2, Length / QueueShare);

    private void EndLook(long now)
    {
        if (_lookRounds != 0 && --_lookRounds == 0)
            (_least, _leastAt) = (_lookLeast, now);
    }

    private void ForgetBest(long now)
    {
        if (now - _bestSince >= MemoryMilliseconds)
            (_bestRate, _bestSince) = (_rate, now);
    }

    private void EndRound(double rate, bool wasIdle, bool isLess, bool isTelling)
    {
        if (!isLess || rate > _rate)
        {
            _isRateKnown |= !wasIdle;
            _rateAt = (_rateAt + 1) % RateRounds;
            _rates[_rateAt] = rate;
            _rate = _rates.Max();
            _bestRate = Math.Max(_bestRate, _rate);
        }

        if (_phase == Phase.Start)
            LookForFullPipe(!wasIdle || (isTelling && HasQueue));
        else if (_phase == Phase.Steady)
            NextInCycle();
    }

    /// <summary>What a faster round brought is seen in the slow one after it: when that was more, and no queue is there, more is tried at once.</summary>
    private void NextInCycle()
    {
        bool hasGrown = _cycle == SlowRound && !HasQueue && _rate > _cycleRate * Growth;
        if (!hasGrown && _cycle < Cycle.Length - 1)
        {
            _cycle++;
            return;
        }

        (_cycle, _cycleRate) = (0, _rate);
        (_gapBefore, _gap) = (_gap, 0);
        (_hasYielded, _alwaysQueued) = (false, true);
    }

    /// <summary>
    /// The path is full once what is delivered no longer grows; or, as an application may be just as fast as a path that is long full, once
    /// even the shortest round trip of a round had a queue to wait in (as HyStart++ sees it, RFC 9406).
    /// </summary>
    private void LookForFullPipe(bool isTelling)
    {
        if (_rate >= _fullRate * StartGrowth)
        {
            _fullRate = _rate;
            _flatRounds = 0;
        }
        else if (isTelling && ++_flatRounds >= FlatRounds)
        {
            _phase = Phase.Drain;
        }
    }

    /// <summary>
    /// What is lost while less is sent than the bottleneck takes, and no queue is there, is the path's: so much more has to leave for the
    /// same to arrive. Otherwise a fifth lost would eat up what the faster rounds try, and the rate could only fall. What is lost behind a queue,
    /// and a queue that was there for a whole cycle, its slow round included, are others' who send too.
    /// </summary>
    private void FollowCrowd(ulong sent, bool wasIdle)
    {
        _alwaysQueued &= HasQueue && !wasIdle;
        if (_cycle == SlowRound - 1)
            (_slowFrom, _slowUntil, _slowLost) = (sent + 1, ulong.MaxValue, 0);
        else if (_cycle == SlowRound)
            _slowUntil = sent + 1;
        else if (_cycle == SlowRound + 2 && _slowUntil > _slowFrom && !HasQueue)
            LearnLoss((double)_slowLost / (_slowUntil - _slowFrom));

        bool isCrowded = HasQueue && !wasIdle && _roundLost > Math.Max(LeastLost, (sent - _roundFrom) * (_loss + CrowdedLoss));
        if (isCrowded && !_hasYielded)
            Yield(LossYield);
        else if (_cycle == Cycle.Length - 1 && _alwaysQueued && !_hasYielded)
            Yield(QueueYield);
    }

    private void LearnLoss(double share)
    {
        _loss = Math.Min(MostLoss, _loss + ((share - _loss) / 4));
        _lossLength = Length;
    }

    private void Yield(double gain)
    {
        _hasYielded = true;
        if (_rate < _bestRate * LeastOfBest)
            return;
        foreach (ref double rate in _rates.AsSpan())
            rate *= gain;
        _rate *= gain;
    }
}
