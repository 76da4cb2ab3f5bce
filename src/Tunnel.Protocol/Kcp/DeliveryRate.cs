namespace Tunnel.Protocol.Kcp;

/// <summary>What the bottleneck delivers, in bytes of data a millisecond: the best of the last ten rounds (BBR's maximum filter).</summary>
internal struct DeliveryRate
{
    private const int Rounds = 10;

    /// <summary>For how long the best of all is remembered.</summary>
    private const int MemoryMilliseconds = 10_000;

    /// <summary>
    /// What yielding leaves at least of the memory's best: a path that only became longer, or loses more than it did, looks crowded too.
    /// </summary>
    private const double LeastOfBest = 0.5;

    private readonly double[] _rates = new double[Rounds];
    private int _newest;
    private double _recentBest;
    private long _recentSince;

    public DeliveryRate()
    {
    }

    public double Best { get; private set; }

    /// <summary>A round was sent without a pause: the rate is the path's and not the application's.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>Takes what a round delivered.</summary>
    public void Add(double rate, bool wasIdle)
    {
        IsKnown |= !wasIdle;
        _newest = (_newest + 1) % Rounds;
        _rates[_newest] = rate;
        Best = _rates.Max();
        _recentBest = Math.Max(_recentBest, Best);
    }

    /// <summary>Leaves others a share: all that is remembered becomes less by it, but not below half of the recent best.</summary>
    public void Yield(double gain)
    {
        if (Best < _recentBest * LeastOfBest)
            return;
        foreach (ref double rate in _rates.AsSpan())
            rate *= gain;
        Best *= gain;
    }

    /// <summary>The best of all is forgotten in time.</summary>
    public void Forget(long now)
    {
        if (now - _recentSince >= MemoryMilliseconds)
            (_recentBest, _recentSince) = (Best, now);
    }
}
