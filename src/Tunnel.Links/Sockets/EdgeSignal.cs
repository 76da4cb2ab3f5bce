namespace Tunnel.Links.Sockets;

/// <summary>
/// Counts what a reactor tells (edges), for one waiter at a time: whoever tried in vain waits until more has come than it had seen before it
/// tried. The waiter goes on, on the thread that signals.
/// </summary>
internal sealed class EdgeSignal
{
    private readonly Lock _lock = new();
    private TaskCompletionSource? _wait;
    private int _edges;

    /// <summary>How many came so far; to be read before trying.</summary>
    internal int Edges => Volatile.Read(ref _edges);

    internal void Signal()
    {
        TaskCompletionSource? wait;
        lock (_lock)
        {
            _edges++;
            wait = _wait;
            _wait = null;
        }

        wait?.TrySetResult();
    }

    /// <summary>Waits for an edge after those that the caller has seen.</summary>
    internal async ValueTask WaitAsync(int seen, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        TaskCompletionSource wait;
        lock (_lock)
        {
            if (_edges != seen)
                return;
            wait = _wait = new TaskCompletionSource();
        }

        await using CancellationTokenRegistration registration = cancel.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), wait);
        await wait.Task.ConfigureAwait(false);
    }
}
