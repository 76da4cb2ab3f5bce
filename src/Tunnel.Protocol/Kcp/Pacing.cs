namespace Tunnel.Protocol.Kcp;

/// <summary>
/// How fast a path takes what is sent, and so when the next segment may leave: BBR's model (draft-ietf-ccwg-bbr). The bottleneck's rate is
/// the best delivery rate of the last ten rounds, the path's length the least round trip of the last seconds; sending is spread by the
/// one, and what is under way bounded by both. Loss by itself slows nothing down, so a lossy path is used in full; but a window's worth
/// sent at once, most of which the queue before the bottleneck would lose, is spread.
/// </summary>
/// <remarks>Times are milliseconds, rates bytes of data a millisecond, transmissions are numbered in their order.</remarks>
internal sealed class Pacing(int segmentSize)
{
    /// <summary>A shorter path is a cable: the queue is the hosts' own, and a clock of milliseconds has no say in it.</summary>
    private const int ShortestPath = 4;

    /// <summary>Segments in a round trip before anything is known about the path, times the first gain.</summary>
    private const int InitialSegments = 256;

    private const int LeastSegments = 4;

    /// <summary>2/ln 2: the least that doubles what is delivered with each round.</summary>
    private const double StartGain = 2.885;

    /// <summary>Three rounds with less growth than this: the path is full.</summary>
    private const double StartGrowth = 1.25;
    private const int FlatRounds = 3;

    /// <summary>This part of a round trip tells what a round will bring: a line that is slower than what it began with is not flooded for two.</summary>
    private const int TellingPart = 4;

    /// <summary>BBR has 2. Sessions that share a bottleneck keep its queue shorter so, and lose a tenth as much in it.</summary>
    private const double FlightGain = 1.5;
    private const double LookFlightGain = 0.25;

    /// <summary>
    /// While the queue loses this much, it is too short for more to be under way than the path holds: what is sent on top is what it loses. Only
    /// then, for a longer queue that others fill would be theirs so.
    /// </summary>
    private const double ShortQueueLoss = 0.1;
    private const double ShortQueueFlightGain = 1.1;

    /// <summary>More lost than usual, and more than chance, behind a queue: somebody else sends too.</summary>
    private const double CrowdedLoss = 0.05;
    private const int LeastLost = 3;

    /// <summary>
    /// What is left of the rate, once a cycle at most: a path that only became longer, or loses more than it did, looks crowded too, and there
    /// the cycle's faster round wins back more than this.
    /// </summary>
    private const double LossYield = 0.85;
    private const double QueueYield = 0.9;

    /// <summary>Segments in a round that make a queue worth believing while the application is the slower one.</summary>
    private const int TellingSegments = 64;

    private PathLength _length = new();
    private PathLoss _loss;
    private DeliveryRate _delivery = new();
    private DeliveryRound _round = new();
    private SendCredit _credit;
    private GainCycle _cycle;
    private bool _hasYielded;
    private bool _alwaysQueued = true;
    private bool _isQueueShort;
    private bool _wasQueueShort;

    private Phase _phase;
    private int _flatRounds;
    private double _fullRate;
    private double _startRate;

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
            return (int)Math.Clamp(CurrentFlightGain * Needed * _length.Delay, LeastSegments * segmentSize, int.MaxValue);
        }
    }

    private double CurrentFlightGain =>
        _length.IsLooking ? LookFlightGain
        : _phase == Phase.Start ? StartGain
        : _isQueueShort || _wasQueueShort ? ShortQueueFlightGain
        : FlightGain;

    /// <summary>False on a path that is too short to be paced, and before anything has come back.</summary>
    private bool IsOn { get; set; }

    private double Bottleneck
    {
        get
        {
            int least = _delivery.IsKnown || _startRate > 0 ? LeastSegments : InitialSegments;
            return Math.Max(Math.Max(_delivery.Best, _startRate), (double)least * segmentSize / _length.Milliseconds);
        }
    }

    /// <summary>What has to leave for the bottleneck to be full, where some is lost on the way.</summary>
    private double Needed => Bottleneck / (1 - _loss.Share);

    private double Rate => Needed * _phase switch
    {
        Phase.Start => StartGain,
        Phase.Drain => 1 / StartGain,
        _ => _cycle.Gain,
    };

    /// <summary>Even the shortest round trip of the round waited in a queue.</summary>
    private bool HasQueue => _round.LeastRoundTrip != int.MaxValue && _length.HasQueue(_round.LeastRoundTrip);

    /// <summary>The way to the peer is another one: how long it is shows what is sent from now on.</summary>
    /// <param name="sent">The newest transmission.</param>
    public void Forget(ulong sent)
    {
        _length.Forget(sent);
        _loss.Forget();
        _round.ForgetRoundTrips();
        (_phase, _fullRate, _flatRounds) = (Phase.Start, 0, 0);
        _isQueueShort = _wasQueueShort = false;
    }

    /// <summary>Takes a round trip.</summary>
    /// <param name="sample">Milliseconds.</param>
    /// <param name="transmission">The one that made it; 0 when that is not known.</param>
    /// <param name="now">Milliseconds.</param>
    public void AddRoundTrip(int sample, ulong transmission, long now)
    {
        if (!_length.Concerns(transmission))
            return;
        sample = Math.Clamp(sample, 1, RoundTripEstimator.MaximumTimeout);
        _length.Add(sample, now, wasAlone: _round.IsFirst);
        _round.Add(sample);
        _loss.Revise(_length);
        IsOn = _length.Milliseconds >= ShortestPath;
    }

    /// <summary>Takes what acknowledgements said.</summary>
    /// <param name="delivered">Bytes of data that the peer has acknowledged since the beginning.</param>
    /// <param name="acknowledged">The newest transmission that arrived.</param>
    /// <param name="sent">The newest transmission.</param>
    /// <param name="underWay">Bytes of data that are neither acknowledged nor known to be lost.</param>
    /// <param name="now">Milliseconds.</param>
    public void OnAcknowledged(long delivered, ulong acknowledged, ulong sent, int underWay, long now)
    {
        _length.OnAcknowledged(now);
        if (_phase == Phase.Start)
            FollowStart(delivered, now);
        else if (_phase == Phase.Drain && underWay <= Bottleneck * _length.Delay)
            _phase = Phase.Steady;
        if (!_round.IsOver(acknowledged, now))
            return;
        if (_phase == Phase.Steady)
            FollowCrowd(sent);
        bool isCycles = _phase == Phase.Steady && !_length.IsLooking && !_round.WasIdle;
        _loss.EndRound(sent, isCycles ? _cycle.Gain : 0, HasQueue, _length.Milliseconds);
        _length.EndRound(now);
        LearnRate(delivered, now);
        FollowPhase(sent, isTelling: _round.Bytes(delivered) >= TellingSegments * segmentSize);
        _round.Begin(sent, delivered, now, isFirst: !IsOn);
    }

    /// <summary>A transmission has been declared lost.</summary>
    public void OnLost(ulong transmission)
    {
        _round.OnLost();
        _loss.OnLost(transmission);
    }

    /// <summary>There was nothing to send: the rate until all that was sent before has arrived is the application's, not the path's.</summary>
    public void OnIdle(ulong sent) => _round.OnIdle(sent);

    /// <summary>
    /// What is under way was at its limit: less than the rate may arrive then, and would lower the limit in its turn, the more so on a path that
    /// became longer than the limit was made for.
    /// </summary>
    public void OnBound(ulong sent) => _round.OnBound(sent);

    /// <summary>Something leaves while nothing is under way.</summary>
    public void OnRestart(long delivered, ulong sent, long now)
    {
        _length.OnRestart();
        _round.Begin(sent, delivered, now, isFirst: true);
    }

    /// <summary>Whether a segment may leave now; <see cref="OnSent"/> says that it did.</summary>
    public bool Allows(long now)
    {
        if (!IsOn)
            return true;
        if (_credit.IsDue(now))
            _credit.Grow(now, Rate, segmentSize);
        return _credit.IsLeft;
    }

    /// <summary>Takes note of a segment's bytes of data.</summary>
    public void OnSent(int bytes)
    {
        if (IsOn)
            _credit.Spend(bytes);
    }

    /// <summary>When there is credit again for a segment that is not allowed now.</summary>
    public long NextAt(long now) => _credit.NextAt(now, Rate);

    /// <summary>A round that was held back teaches nothing but more.</summary>
    private void LearnRate(long delivered, long now)
    {
        double rate = _round.Rate(delivered, now);
        if (!_round.WasHeldBack || rate > _delivery.Best)
            _delivery.Add(rate, _round.WasIdle);
        _delivery.Forget(now);
    }

    /// <summary>
    /// At the start a round's rate counts as soon as it shows: before, nothing is known but a guess, of which a slow line loses nearly all, and a
    /// fast one need not wait for the round's end.
    /// </summary>
    private void FollowStart(long delivered, long now)
    {
        if (_round.WasIdle)
            _startRate = 0;
        else if (_round.IsTelling((_length.Milliseconds / TellingPart) + _length.Gap, now))
            _startRate = _round.Rate(delivered, now);
    }

    private void FollowPhase(ulong sent, bool isTelling)
    {
        if (_phase == Phase.Start)
        {
            LookForFullPipe(!_round.WasIdle || (isTelling && HasQueue), LosesInQueue(sent, CrowdedLoss));
        }
        else if (_phase == Phase.Steady && _cycle.Next(_delivery.Best, HasQueue))
        {
            _length.EndCycle();
            (_hasYielded, _alwaysQueued) = (false, true);
            (_wasQueueShort, _isQueueShort) = (_isQueueShort, false);
        }
    }

    /// <summary>
    /// The path is full once what is delivered no longer grows; or, as an application may be just as fast as a path that is long full, once
    /// even the shortest round trip of a round had a queue to wait in (as HyStart++ sees it, RFC 9406); at once when that queue loses some.
    /// </summary>
    private void LookForFullPipe(bool isTelling, bool losesInQueue)
    {
        if (losesInQueue)
        {
            Drain();
        }
        else if (_delivery.Best >= _fullRate * StartGrowth)
        {
            _fullRate = _delivery.Best;
            _flatRounds = 0;
        }
        else if (isTelling && ++_flatRounds >= FlatRounds)
        {
            Drain();
        }
    }

    private void Drain() => (_phase, _startRate) = (Phase.Drain, 0);

    /// <summary>
    /// What a queue loses, and a queue that was there for a whole cycle, its slow round included, are others' who send too.
    /// </summary>
    private void FollowCrowd(ulong sent)
    {
        bool isTelling = HasQueue && !_round.WasIdle;
        _alwaysQueued &= isTelling;
        _isQueueShort |= LosesInQueue(sent, ShortQueueLoss);
        if (LosesInQueue(sent, CrowdedLoss) && !_hasYielded)
            Yield(LossYield);
        else if (_cycle.IsLast && _alwaysQueued && !_hasYielded)
            Yield(QueueYield);
    }

    /// <summary>
    /// So much more was lost than the path's own, and than chance, in a queue: one that round trips show, unless just as much is lost while less is
    /// sent (jitter looks like a queue), or one that is too short to be seen.
    /// </summary>
    private bool LosesInQueue(ulong sent, double share) =>
        (HasQueue ? !_loss.IsChance : _loss.IsShared) && !_round.WasIdle
        && _round.Lost > Math.Max(LeastLost, (sent - _round.From) * (_loss.Share + share));

    private void Yield(double gain)
    {
        _hasYielded = true;
        _delivery.Yield(gain);
    }
}
