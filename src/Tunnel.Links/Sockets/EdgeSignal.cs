using System.Threading.Tasks.Sources;

namespace Tunnel.Links.Sockets;

/// <summary>
/// Counts what a reactor tells (edges), for one waiter at a time: whoever tried in vain waits until more has come than it had seen before it
/// tried. The waiter goes on, on the thread that signals. Waiting allocates nothing.
/// </summary>
internal sealed class EdgeSignal : IValueTaskSource
{
    private readonly Lock _lock = new();
    private ManualResetValueTaskSourceCore<bool> _core;
    private CancellationTokenRegistration _registration;
    private bool _isAwaited;
    private int _edges;

    /// <summary>How many came so far; to be read before trying.</summary>
    internal int Edges => Volatile.Read(ref _edges);

    internal void Signal()
    {
        bool wakes;
        lock (_lock)
        {
            _edges++;
            wakes = _isAwaited;
            _isAwaited = false;
        }

        if (wakes)
            _core.SetResult(true);
    }

    /// <summary>Waits for an edge after those that the caller has seen; to be awaited once, and before the next wait.</summary>
    internal ValueTask WaitAsync(int seen, CancellationToken cancel)
    {
        if (cancel.IsCancellationRequested)
            return ValueTask.FromCanceled(cancel);
        short version;
        lock (_lock)
        {
            if (_edges != seen)
                return ValueTask.CompletedTask;
            _core.Reset();
            version = _core.Version;
            _isAwaited = true;
        }

        // It may come at once, and then the wait is over before it has begun.
        if (cancel.CanBeCanceled)
            _registration = cancel.UnsafeRegister(static (signal, token) => ((EdgeSignal)signal!).Cancel(token), this);
        return new ValueTask(this, version);
    }

    private void Cancel(CancellationToken token)
    {
        lock (_lock)
        {
            if (!_isAwaited)
                return;
            _isAwaited = false;
        }

        _core.SetException(new OperationCanceledException(token));
    }

    void IValueTaskSource.GetResult(short token)
    {
        // Waits for a cancellation that is being told meanwhile: it must not reach the next wait.
        CancellationTokenRegistration registration = _registration;
        _registration = default;
        registration.Dispose();
        _core.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
