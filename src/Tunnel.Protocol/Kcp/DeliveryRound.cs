namespace Tunnel.Protocol.Kcp;

/// <summary>A round: the time from a transmission to its acknowledgement, what it delivered, and what was odd about it.</summary>
/// <remarks>Times are milliseconds, transmissions are numbered in their order.</remarks>
internal struct DeliveryRound
{
    private const int Shortest = 10;

    private long _began;
    private long _deliveredBefore;
    private ulong _idleUntil;
    private ulong _boundUntil;
    private bool _isFirst = true;

    public DeliveryRound()
    {
    }

    /// <summary>The newest transmission when it began.</summary>
    public ulong From { get; private set; }

    /// <summary>The shortest round trip in it; MaxValue when there was none.</summary>
    public int LeastRoundTrip { get; private set; } = int.MaxValue;

    /// <summary>Transmissions that were declared lost in it.</summary>
    public int Lost { get; private set; }

    /// <summary>It began with nothing under way, or unpaced, so it ends with the first of many acknowledgements: it says nothing.</summary>
    public readonly bool IsFirst => _isFirst;

    /// <summary>The application had nothing to send at times: what arrived was its rate, not the path's.</summary>
    public readonly bool WasIdle => _isFirst || _idleUntil > From;

    /// <summary>What was under way was at its limit at times, or there was nothing: more might have arrived.</summary>
    public readonly bool WasHeldBack => WasIdle || _boundUntil > From;

    /// <summary>Begins the next one.</summary>
    /// <param name="sent">The newest transmission.</param>
    /// <param name="delivered">Bytes of data that have been acknowledged since the beginning of all.</param>
    /// <param name="now">When.</param>
    /// <param name="isFirst">Nothing is under way.</param>
    public void Begin(ulong sent, long delivered, long now, bool isFirst)
    {
        (From, _began, _deliveredBefore, _isFirst) = (sent, now, delivered, isFirst);
        (Lost, LeastRoundTrip) = (0, int.MaxValue);
    }

    public readonly bool IsOver(ulong acknowledged, long now) => acknowledged > From && now - _began >= Shortest;

    /// <summary>Bytes of data that arrived in it.</summary>
    public readonly long Bytes(long delivered) => delivered - _deliveredBefore;

    /// <summary>Bytes of data a millisecond.</summary>
    public readonly double Rate(long delivered, long now) => (double)Bytes(delivered) / (now - _began);

    /// <summary>It is under way for so long that what has arrived of it tells its rate.</summary>
    public readonly bool IsTelling(int milliseconds, long now) => !WasIdle && now - _began >= Math.Max(milliseconds, Shortest);

    public void Add(int roundTrip) => LeastRoundTrip = Math.Min(LeastRoundTrip, roundTrip);

    /// <summary>Its round trips were another path's.</summary>
    public void ForgetRoundTrips() => LeastRoundTrip = int.MaxValue;

    public void OnLost() => Lost++;

    /// <summary>There was nothing to send, until all that was sent before has arrived.</summary>
    public void OnIdle(ulong sent) => _idleUntil = sent + 1;

    /// <summary>What is under way was at its limit.</summary>
    public void OnBound(ulong sent) => _boundUntil = sent + 1;
}
