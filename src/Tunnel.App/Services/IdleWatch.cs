namespace Tunnel.App.Services;

/// <summary>Calls back once when something has been idle for too long. It looks when that could be, and not before. Thread-safe.</summary>
internal sealed class IdleWatch : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Func<long> _endsAt;
    private readonly Action _expired;
    private readonly Timer _timer;
    private bool _over;

    /// <param name="endsAt">When it is too long, in milliseconds of <see cref="Environment.TickCount64"/>; moves on with all that happens.</param>
    /// <param name="expired">What then happens.</param>
    public IdleWatch(Func<long> endsAt, Action expired)
    {
        _endsAt = endsAt;
        _expired = expired;
        _timer = new Timer(static watch => ((IdleWatch)watch!).Look(), this, Timeout.Infinite, Timeout.Infinite);
        Look();
    }

    /// <summary>Looks now: the end may have come nearer.</summary>
    public void Look()
    {
        if (!IsTime())
            return;
        _timer.Dispose();
        _expired();
    }

    public void Dispose()
    {
        lock (_lock)
            _over = true;
        _timer.Dispose();
    }

    /// <summary>True once; else the timer is set for when it may be.</summary>
    private bool IsTime()
    {
        lock (_lock)
        {
            long left = _endsAt() - Environment.TickCount64;
            if (!_over && left > 0)
                _timer.Change(left, Timeout.Infinite);
            else if (!_over)
                return _over = true;
            return false;
        }
    }
}
