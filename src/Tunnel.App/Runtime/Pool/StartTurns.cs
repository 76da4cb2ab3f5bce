namespace Tunnel.App.Runtime.Pool;

/// <summary>
/// Sessions with one server begin some at a time. A hundred at once are answered at once, which takes both ends longer than a first
/// retransmission waits; in turns each is answered within milliseconds, and the first is of use before the last begins. A turn lasts until
/// the server has answered, and no longer than <paramref name="longest"/>: a long path, or a server that is gone, holds nobody up for more.
/// </summary>
/// <param name="atOnce">Turns at a time.</param>
/// <param name="longest">The longest turn.</param>
/// <param name="time">Of which that is.</param>
internal sealed class StartTurns(int atOnce, TimeSpan longest, TimeProvider time)
{
    private readonly SemaphoreSlim _free = new(atOnce);

    /// <summary>Runs <paramref name="start"/> when it has a turn, which ends as it does, or before.</summary>
    /// <exception cref="OperationCanceledException">It had no turn before it was cancelled.</exception>
    public async Task<T> RunAsync<T>(Func<Task<T>> start, CancellationToken cancel)
    {
        await _free.WaitAsync(cancel).ConfigureAwait(false);
        Task<T> starting = start();
        _ = EndAsync(starting);
        return await starting.ConfigureAwait(false);
    }

    private async Task EndAsync(Task starting)
    {
        await Task.WhenAny(starting, Task.Delay(longest, time)).ConfigureAwait(false);
        _free.Release();
    }
}
