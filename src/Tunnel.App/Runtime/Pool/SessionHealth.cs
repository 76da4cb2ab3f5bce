using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime.Pool;

/// <summary>
/// What a session knows about how well it does, kept current by itself: it looks as it ends a turn, at most every few milliseconds, and
/// tells only what has changed by much. So a packet costs a comparison, and nobody else's lock is taken for it. One owner at a time: the
/// session's; the properties may be read by anybody, each by itself.
/// </summary>
/// <param name="changed">Told, without the session's lock, when the cost or the silence changed.</param>
public sealed class SessionHealth(Action changed)
{
    /// <summary>Silence that means something, at least, in milliseconds: shorter stalls are common on a busy host.</summary>
    public const int ShortestSilence = 250;

    /// <summary>However uncertain the round trip, silence of a second is silence, unless the round trip itself takes as long.</summary>
    private const int LongestSilence = 1000;

    private const int SilentTimeouts = 3;

    private const long Interval = 5;

    /// <summary>A change by less than this part is not told.</summary>
    private const double Step = 0.1;

    /// <summary>Milliseconds that every stream costs anywhere: without them, 2 ms would look twice as dear as 1.</summary>
    private const double BaseCost = 20;

    /// <summary>Milliseconds that a send window full of bytes in flight costs.</summary>
    private const double FullWindowCost = 200;

    /// <summary>By how much loss multiplies the cost: at 10 %, a connection counts as twice as far.</summary>
    private const double LossFactor = 10;

    /// <summary>Segments that say something about loss.</summary>
    private const int LossSample = 64;

    private long _nextAt;
    private long _sampledSent;
    private long _sampledAgain;
    private bool _isFull;
    private bool _hadFlight;
    private volatile bool _again;

    /// <summary>What a stream costs here, in milliseconds; infinite: no more fit in.</summary>
    public double Cost { get; private set; } = BaseCost;

    /// <summary>Something is unacknowledged for so long that the peer, or the way to it, is gone.</summary>
    public bool IsSilent { get; private set; }

    /// <summary>The part of segments that had to be sent again lately, 0 to 1.</summary>
    public double Loss { get; private set; }

    public int BytesInFlight { get; private set; }

    /// <summary>Smoothed, in milliseconds.</summary>
    public int RoundTrip { get; private set; }

    /// <summary>Within a turn, at its end: whether there is something to tell with <see cref="Tell"/> after the turn.</summary>
    internal bool Observe(Session session, Instant now)
    {
        KcpEngine kcp = session.Kcp;
        long milliseconds = now.Milliseconds;
        bool silent = kcp.InFlight != 0 && milliseconds - kcp.HeardAt >= SilenceOf(kcp.RetransmissionTimeout);
        bool full = session.Mux.IsFull;
        // Taken once: asked for again after this, it is told again.
        bool again = _again;
        if (again)
            _again = false;
        bool urgent = silent != IsSilent || full != _isFull || again || (_hadFlight && kcp.InFlight == 0);
        if (milliseconds < _nextAt && !urgent)
            return false;
        _nextAt = milliseconds + Interval;
        (_isFull, _hadFlight) = (full, kcp.InFlight > LossSample);
        SampleLoss(kcp.Counters);
        (BytesInFlight, RoundTrip) = (kcp.BytesInFlight, kcp.SmoothedRoundTrip);
        double cost = full ? double.PositiveInfinity : CostOf(RoundTrip, kcp.InFlight / Math.Max(1.0, kcp.Window), Loss);
        bool worthTelling = silent != IsSilent || again || IsFar(cost, Cost);
        IsSilent = silent;
        if (worthTelling)
            Cost = cost;
        return worthTelling;
    }

    internal void Tell() => changed();

    /// <summary>Whoever is told has thought something else meanwhile: the next turn tells in any case.</summary>
    internal void TellAgain() => _again = true;

    /// <summary>What a stream costs.</summary>
    /// <param name="roundTrip">Smoothed, in milliseconds.</param>
    /// <param name="filled">The part of the send window that is in flight, 0 to 1.</param>
    /// <param name="loss">The part that is sent again, 0 to 1.</param>
    public static double CostOf(int roundTrip, double filled, double loss) =>
        (BaseCost + roundTrip + FullWindowCost * Math.Min(1, filled)) * (1 + LossFactor * loss);

    /// <summary>Milliseconds without an acknowledgement that are silence.</summary>
    /// <param name="timeout">The retransmission timeout.</param>
    public static int SilenceOf(int timeout) =>
        Math.Max(ShortestSilence, Math.Min(SilentTimeouts * timeout, Math.Max(LongestSilence, timeout + timeout / 2)));

    private static bool IsFar(double cost, double told) =>
        cost != told && (double.IsInfinity(cost) || double.IsInfinity(told) || Math.Abs(cost - told) > Step * told);

    private void SampleLoss(in KcpCounters counters)
    {
        long sent = counters.SegmentsSent - _sampledSent;
        if (sent < LossSample)
            return;
        double loss = (double)(counters.Retransmits - _sampledAgain) / sent;
        (_sampledSent, _sampledAgain) = (counters.SegmentsSent, counters.Retransmits);
        Loss += (loss - Loss) / 4;
    }
}
