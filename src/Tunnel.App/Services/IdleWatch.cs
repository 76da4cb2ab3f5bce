namespace Tunnel.App.Services;

/// <summary>Calls back once when nothing was touched for a time. Cheap to touch; looks a few times in that time.</summary>
internal sealed class IdleWatch : IDisposable
{
    private const int LooksPerPeriod = 4;

    private readonly TimeSpan _idle;
    private readonly Action _expired;
    private readonly Timer _timer;
    private long _touchedAt = Environment.TickCount64;

    public IdleWatch(TimeSpan idle, Action expired)
    {
        _idle = idle;
        _expired = expired;
        _timer = new Timer(static watch => ((IdleWatch)watch!).Look(), this, idle / LooksPerPeriod, idle / LooksPerPeriod);
    }

    public void Touch() => Volatile.Write(ref _touchedAt, Environment.TickCount64);

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        if (Environment.TickCount64 - Volatile.Read(ref _touchedAt) < _idle.TotalMilliseconds)
            return;
        _timer.Dispose();
        _expired();
    }
}
