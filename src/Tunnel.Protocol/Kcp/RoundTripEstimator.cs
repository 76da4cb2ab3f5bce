namespace Tunnel.Protocol.Kcp;

/// <summary>Smoothed round-trip time and the retransmission timeout from it, in milliseconds (KCP's form of RFC 6298).</summary>
internal struct RoundTripEstimator
{
    public const int MaximumTimeout = 60_000;

    private const int InitialTimeout = 200;

    private readonly int _interval;
    private readonly int _minimum;
    private int _variance;

    public RoundTripEstimator(bool noDelay, int interval)
    {
        _interval = interval;
        _minimum = noDelay ? 30 : 100;
        Timeout = InitialTimeout;
    }

    public int Timeout { get; private set; }

    /// <summary>0 until the first sample.</summary>
    public int Smoothed { get; private set; }

    public void Add(int sample)
    {
        // An echo is the peer's word; a false one must not overflow the sums below.
        sample = Math.Min(sample, MaximumTimeout);
        if (Smoothed == 0)
        {
            Smoothed = sample;
            _variance = sample / 2;
        }
        else
        {
            int delta = sample - Smoothed;
            Smoothed += delta / 8;
            delta = Math.Abs(delta);
            // A sample below the mean by more than the variance says the path got better, not less certain.
            _variance += sample < Smoothed - _variance ? (delta - _variance) / 32 : (delta - _variance) / 4;
        }

        Smoothed = Math.Max(Smoothed, 1);
        Timeout = Math.Clamp(Smoothed + Math.Max(_interval, 4 * _variance), _minimum, MaximumTimeout);
    }
}
