using System.Threading.Tasks.Sources;

namespace Tunnel.App.Runtime;

/// <summary>
/// One thing that one waiter at a time waits for, again and again, without allocation. The waiter goes on, on the thread that
/// signals: that is what makes a received datagram reach the socket without a hop between threads.
/// </summary>
internal class StreamSignal : IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _core;
    private int _armed;

    /// <summary>Gets ready to wait. Before whatever may signal.</summary>
    public void Arm()
    {
        _core.Reset();
        Volatile.Write(ref _armed, 1);
    }

    /// <summary>Waits for the signal since <see cref="Arm"/>; to be awaited once, or not at all.</summary>
    public ValueTask Wait() => new(this, _core.Version);

    /// <summary>Nothing was begun after <see cref="Arm"/>. Whoever is just signalling is waited for: what he does must not meet the next wait.</summary>
    public ValueTask DisarmAsync() => Interlocked.Exchange(ref _armed, 0) == 1 ? ValueTask.CompletedTask : Wait();

    public void Signal()
    {
        if (Interlocked.Exchange(ref _armed, 0) == 1)
            _core.SetResult(true);
    }

    /// <summary>The waiter goes on: whatever this throws is what he gets.</summary>
    protected virtual void OnWaited()
    {
    }

    void IValueTaskSource.GetResult(short token)
    {
        _core.GetResult(token);
        // Or it would hold whoever waited, and all that he holds, for as long as the stream is open.
        _core.Reset();
        OnWaited();
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
