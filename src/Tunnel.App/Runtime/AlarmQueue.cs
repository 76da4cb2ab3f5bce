using Tunnel.Protocol.Primitives;

namespace Tunnel.App.Runtime;

/// <summary>The wake-ups sessions asked for, the earliest first. Any thread asks; one thread takes those that are due.</summary>
internal sealed class AlarmQueue
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<Alarm, long> _queue = new();
    private long _waitingUntil = long.MaxValue;

    /// <summary>
    /// Asks for a wake-up at <paramref name="deadline"/>, or sooner, and says whether whoever takes them waits for a later one and must look
    /// again.
    /// </summary>
    public bool Add(Alarm alarm, Instant deadline)
    {
        if (deadline == Instant.Never || deadline.Nanoseconds >= Volatile.Read(ref alarm.WakeAt))
            return false;
        lock (_lock)
        {
            if (deadline.Nanoseconds >= alarm.WakeAt)
                return false;
            alarm.WakeAt = deadline.Nanoseconds;
            _queue.Enqueue(alarm, deadline.Nanoseconds);
            return deadline.Nanoseconds < _waitingUntil;
        }
    }

    /// <summary>
    /// The session of the first wake-up that is due at <paramref name="now"/> nanoseconds, and when it was asked for. Null where none is: then
    /// <paramref name="at"/> is after <paramref name="now"/>, the time to wait until, or the greatest value with nothing to wait for.
    /// </summary>
    public PeerSession? TakeDue(long now, out long at)
    {
        lock (_lock)
        {
            while (_queue.TryPeek(out Alarm? alarm, out at))
            {
                // Read once: it may end on another thread at any time, and nobody due at a time that has passed would be no answer.
                PeerSession? session = alarm.Session;
                bool isWanted = at == alarm.WakeAt && session is not null;
                if (isWanted && at > now)
                {
                    _waitingUntil = at;
                    return null;
                }

                _queue.Dequeue();
                if (!isWanted)
                    continue;
                alarm.WakeAt = long.MaxValue;
                // It looks again before it waits, so nobody need wake it.
                _waitingUntil = long.MinValue;
                return session;
            }

            at = _waitingUntil = long.MaxValue;
            return null;
        }
    }
}

/// <summary>A session's place in the queue. What is queued outlives the session, which it must not keep: sessions come and go faster.</summary>
internal sealed class Alarm(PeerSession session)
{
    /// <summary>Nanoseconds of the wake-up that is on its way.</summary>
    internal long WakeAt = long.MaxValue;

    private volatile PeerSession? _session = session;

    /// <summary>Null once the session has ended, which any thread may do.</summary>
    public PeerSession? Session => _session;

    public void Forget() => _session = null;
}
