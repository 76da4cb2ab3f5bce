using Tunnel.Protocol.Primitives;

namespace Tunnel.App.Runtime;

/// <summary>
/// One thread that wakes sessions at their deadlines. A session that asks for nothing costs nothing; one that asks for a later time
/// than before is woken at the earlier one and asks again, so that the common case (every packet moves the deadline) is free.
/// </summary>
public sealed class DeadlineLoop : IDisposable
{
    private readonly AlarmQueue _alarms = new();
    private readonly AutoResetEvent _earlier = new(false);
    private readonly Thread _thread;
    private volatile bool _stopped;

    public DeadlineLoop()
    {
        _thread = new Thread(Run) { IsBackground = true, Name = "deadlines" };
        _thread.Start();
    }

    /// <summary>Asks for a turn at <paramref name="deadline"/>, or sooner. Any thread.</summary>
    public void Schedule(PeerSession session, Instant deadline)
    {
        if (_alarms.Add(session.Alarm, deadline))
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
        // The event goes with the object: a session whose turn is just ending may still set it.
        _thread.Join();
    }

    private void Run()
    {
        while (!_stopped)
        {
            long now = MonotonicClock.Now.Nanoseconds;
            PeerSession? due = _alarms.TakeDue(now, out long at);
            if (due is not null)
            {
                due.OnDeadline(TimeSpan.FromMicroseconds((now - at) / 1000));
                continue;
            }

            // Rounded up: a wake-up before the deadline would only be repeated.
            int milliseconds = at == long.MaxValue ? Timeout.Infinite : (int)Math.Min((at - now + 999_999) / 1_000_000, 3_600_000);
            _earlier.WaitOne(milliseconds);
        }
    }
}
