namespace Tunnel.App.Hosting;

/// <summary>Waits for work to end by itself, for a while.</summary>
internal static class Drain
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);

    public static async Task WaitAsync(Func<int> active, TimeSpan grace, CancellationToken cancel)
    {
        long end = Environment.TickCount64 + (long)grace.TotalMilliseconds;
        while (active() != 0 && Environment.TickCount64 < end && !cancel.IsCancellationRequested)
            await Task.Delay(Step, CancellationToken.None).ConfigureAwait(false);
    }
}
