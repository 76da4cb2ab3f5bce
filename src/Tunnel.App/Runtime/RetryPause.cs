namespace Tunnel.App.Runtime;

/// <summary>
/// How long a connection waits before it tries again. Whoever waits for a session makes it short, and so does news from the network; after a
/// server that is there but has lost the session there is none.
/// </summary>
/// <param name="random">Draws the pauses.</param>
/// <param name="isWanted">Somebody waits for a session now.</param>
internal sealed class RetryPause(Random random, Func<bool> isWanted)
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private readonly BackOff _backOff = new(random);
    private volatile bool _hurries;
    private bool _skipsNext;

    /// <summary>The next try may succeed where the last did not: the pause that there is, if one is, is a short one. Any thread.</summary>
    public void Hurry() => _hurries = true;

    /// <summary>There is no pause before the next try.</summary>
    public void SkipNext() => _skipsNext = true;

    /// <summary>A try has succeeded: pauses begin short again.</summary>
    public void Reset() => _backOff.Reset();

    public async Task WaitAsync(CancellationToken stop)
    {
        long start = Environment.TickCount64;
        TimeSpan pause = _skipsNext ? TimeSpan.Zero : _backOff.Next();
        TimeSpan shortest = _backOff.Shortest();
        _skipsNext = _hurries = false;
        while (!stop.IsCancellationRequested)
        {
            TimeSpan waited = TimeSpan.FromMilliseconds(Environment.TickCount64 - start);
            if (waited >= pause || waited >= shortest && (_hurries || isWanted()))
                return;
            await Task.Delay(Step, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
