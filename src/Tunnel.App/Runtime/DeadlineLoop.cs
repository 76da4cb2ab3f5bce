using Tunnel.Protocol.Primitives;

namespace Tunnel.App.Runtime;

/// <summary>
/// One thread that wakes sessions at their deadlines. A session that asks for nothing costs nothing; one that asks for a later time
/// than before is woken at the earlier one and asks again, so that the common case (every packet moves the deadline) is free.
/// </summary>
public sealed class DeadlineLoop : IDisposable
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<PeerSession, long> _queue = new();
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
        if (deadline == Instant.Never || deadline.Nanoseconds >= Volatile.Read(ref session.WakeAt))
            return;
        bool signal;
        lock (_lock)
        {
            if (deadline.Nanoseconds >= session.WakeAt)
                return;
            session.WakeAt = deadline.Nanoseconds;
            _queue.Enqueue(session, deadline.Nanoseconds);
            signal = deadline.Nanoseconds < _waitingUntil;
        }

        if (signal)
            _earlier.Set();
    }

    public void Dispose()
    {
        _stopped = true;
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
                due.OnDeadline();
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
            while (_queue.TryPeek(out PeerSession? session, out long at))
            {
                if (at != session.WakeAt)
                {
                    _queue.Dequeue();
                    continue;
                }

                if (at > now)
                    break;
                _queue.Dequeue();
                session.WakeAt = long.MaxValue;
                next = at;
                return session;
            }

            next = _waitingUntil = _queue.TryPeek(out _, out long first) ? first : long.MaxValue;
            return null;
        }
    }
}
