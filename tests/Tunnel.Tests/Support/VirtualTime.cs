namespace Tunnel.Tests.Support;

/// <summary>Time that stands still until the test lets it go on. Timers go off on the thread that does; not thread-safe.</summary>
internal sealed class VirtualTime : TimeProvider
{
    private readonly List<Alarm> _alarms = [];
    private long _now;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var alarm = new Alarm(this, () => callback(state));
        alarm.Change(dueTime, period);
        return alarm;
    }

    /// <summary>Lets time pass; what becomes due meanwhile happens at its own time.</summary>
    public void Advance(TimeSpan time)
    {
        long end = _now + time.Ticks;
        while (_alarms.Where(a => a.Due <= end).MinBy(a => a.Due) is { } next)
        {
            _now = next.Due;
            _alarms.Remove(next);
            next.GoOff();
        }

        _now = end;
    }

    private sealed class Alarm(VirtualTime owner, Action goOff) : ITimer
    {
        public long Due { get; private set; }

        public Action GoOff => goOff;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Assert.Equal(Timeout.InfiniteTimeSpan, period);
            owner._alarms.Remove(this);
            if (dueTime == Timeout.InfiniteTimeSpan)
                return true;
            Due = owner._now + dueTime.Ticks;
            owner._alarms.Add(this);
            return true;
        }

        public void Dispose() => owner._alarms.Remove(this);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
