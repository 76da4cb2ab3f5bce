namespace Tunnel.Protocol.Kcp;

/// <summary>
/// Questions about windows, and the answers that are owed: while the peer has no room, it is asked now and then whether it has, less and less
/// often. Times are milliseconds.
/// </summary>
internal struct WindowProbe
{
    private const int FirstWait = 500;
    private const int LongestWait = 120_000;

    private int _wait;
    private bool _ask;
    private bool _tell;

    public WindowProbe()
    {
    }

    /// <summary>When <see cref="Advance"/> is wanted; MaxValue while nothing waits for the peer's room.</summary>
    public long Deadline { get; private set; } = long.MaxValue;

    /// <summary>Something waits for the peer's room.</summary>
    public void Begin(long now)
    {
        if (Deadline != long.MaxValue)
            return;
        _wait = FirstWait;
        Deadline = now + _wait;
    }

    /// <summary>The peer has room.</summary>
    public void End() => (Deadline, _wait) = (long.MaxValue, 0);

    public void Advance(long now)
    {
        if (now < Deadline)
            return;
        _ask = true;
        _wait = Math.Min(LongestWait, _wait + _wait / 2);
        Deadline = now + _wait;
    }

    /// <summary>Asks for the peer's window with the next datagram.</summary>
    public void Ask() => _ask = true;

    /// <summary>Tells this end's window with the next datagram.</summary>
    public void Tell() => _tell = true;

    /// <summary>There is something to ask or to tell.</summary>
    public readonly bool IsDue => _ask || _tell;

    /// <summary>False while some of it wants another datagram.</summary>
    public bool TryWrite(ref SegmentWriter writer)
    {
        if (_ask && !writer.TryWriteHeader(KcpCommand.WindowAsk, 0, 0))
            return false;
        _ask = false;
        if (_tell && !writer.TryWriteHeader(KcpCommand.WindowTell, 0, 0))
            return false;
        _tell = false;
        return true;
    }
}
