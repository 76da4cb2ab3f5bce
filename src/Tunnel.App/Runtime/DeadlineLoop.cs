using Tunnel.Protocol.Primitives;

namespace Tunnel.App.Runtime;

/// <summary>
/// One thread that wakes sessions at their deadlines. A session that asks for nothing costs nothing; one that asks for a later time
/// than before is woken at the earlier one and asks again, so that the common case (every packet moves the deadline) is free.
/// </summary>
public sealed class DeadlineLoop : IDisposable
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<Alarm, long> _queue = new();
    private readonly AutoResetEvent _earlier = new(false);
    private readonly Thread _thread;
    private long _waitingUntil = long.MaxValue;
    private volatile bool _stopped;

    public DeadlineLoop()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "deadlines" };
        _thread.Start();
    }

    /// <summary>Asks for a turn at <paramref name="deadline"/>, or sooner. Any thread.</summary>
    public void Schedule(PeerSession session, Instant deadline)
    {
        Alarm alarm = session.Alarm;
        if (deadline == Instant.Never || deadline.Nanoseconds >= Volatile.Read(ref alarm.WakeAt))
            return;
        bool signal;
        lock (_lock)
        {
            if (deadline.Nanoseconds >= alarm.WakeAt)
                return;
            alarm.WakeAt = deadline.Nanoseconds;
            _queue.Enqueue(alarm, deadline.Nanoseconds);
            signal = deadline.Nanoseconds < _waitingUntil;
        }

        if (signal)
            _earlier.Set();
    }

    /// <summary>
    /// Ends the thread and waits for it; not where the caller is that thread: what awaited a session may go on within the session's turn, and
    /// the thread ends after it.
    /// </summary>
    public void Dispose()
    {
        _stopped = true;
        if (_thread == Thread.CurrentThread)
            return;
        _earlier.Set();
        _thread.Join();
        _earlier.Dispose();
    }

    private void Run()
    {
        while (!_stopped)
        {
            long now = MonotonicClock.Now.Nanoseconds;
            PeerSession? due = TakeDue(now, out long next);
            if (due is not null)
            {
                due.OnDeadline(TimeSpan.FromMicroseconds((now - next) / 1000));
                continue;
            }

            // Rounded up: a wake-up before the deadline would only be repeated.
            int milliseconds = next == long.MaxValue ? Timeout.Infinite : (int)Math.Min((next - now + 999_999) / 1_000_000, 3_600_000);
            _earlier.WaitOne(milliseconds);
        }
    }

    private PeerSession? TakeDue(long now, out long next)
    {
        lock (_lock)
        {
            while (_queue.TryPeek(out Alarm? alarm, out long at))
            {
                if (at != alarm.WakeAt || alarm.Session is null)
                {
                    _queue.Dequeue();
                    continue;
                }

                if (at > now)
                    break;
                _queue.Dequeue();
                alarm.WakeAt = long.MaxValue;
                // It looks again before it waits, so nobody need wake it.
                _waitingUntil = long.MinValue;
                next = at;
                return alarm.Session;
            }

            next = _waitingUntil = _queue.TryPeek(out _, out long first) ? first : long.MaxValue;
            return null;
        }
    }
}

/// <summary>A session's place in the queue. What is queued outlives the session, which it must not keep: sessions come and go faster.</summary>
internal sealed class Alarm(PeerSession session)
{
    /// <summary>Nanoseconds of the wake-up that is on its way.</summary>
    internal long WakeAt = long.MaxValue;

    /// <summary>Null once the session has ended.</summary>
    public PeerSession? Session { get; private set; } = session;

    public void Forget() => Session = null;
}
