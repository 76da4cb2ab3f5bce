namespace Tunnel.Protocol.Kcp;

/// <summary>
/// When what may wait leaves: with KCP's next tick, which comes an interval after the last datagram. Times are milliseconds.
/// </summary>
/// <param name="interval">Between ticks.</param>
/// <param name="writeDelay">New data waits for a tick; else it never does.</param>
internal struct FlushTicks(int interval, bool writeDelay)
{
    private readonly int _interval = interval;
    private readonly bool _writeDelay = writeDelay;
    private long _dataDueUntil = long.MaxValue;
    private long _lastFlush = long.MinValue / 2;

    /// <summary>When the next tick is; MaxValue when nothing waits for it.</summary>
    public long Deadline { get; private set; } = long.MaxValue;

    /// <summary>Acknowledgements wait no longer.</summary>
    public bool AcksDue { get; private set; }

    /// <summary>New data waits no longer.</summary>
    public bool DataDue { get; private set; } = !writeDelay;

    public void MakeAcksDue() => AcksDue = true;

    public void MakeDataDue() => DataDue = true;

    public void OnAcksSent() => AcksDue = false;

    /// <summary>A datagram has left.</summary>
    public void OnFlush(long now) => _lastFlush = now;

    /// <summary>All that is due has left.</summary>
    /// <param name="isPaced">But for what has to wait for its turn.</param>
    /// <param name="now">When.</param>
    public void OnDrained(bool isPaced, long now)
    {
        // Whoever was told just now that its write has left may go on at once: a bulk writer would else send one write an interval.
        if (_writeDelay && DataDue)
            _dataDueUntil = isPaced ? long.MaxValue : Math.Min(_dataDueUntil, now);
    }

    /// <summary>Something waits for a tick.</summary>
    public void Arm(long now) => Deadline = Math.Min(Deadline, Math.Max(now, _lastFlush + _interval));

    /// <summary>Makes everything due if a tick is.</summary>
    public void Advance(long now)
    {
        if (now < Deadline)
            return;
        AcksDue = DataDue = true;
        Deadline = long.MaxValue;
    }

    /// <summary>Data that comes later than what left with a tick waits for the next one.</summary>
    public void EndTick(long now)
    {
        if (now <= _dataDueUntil)
            return;
        DataDue = false;
        _dataDueUntil = long.MaxValue;
    }
}
