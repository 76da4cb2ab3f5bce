namespace Tunnel.App.Hosting;

/// <summary>Waits for work to end by itself, for a while.</summary>
internal static class Drain
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(20);

    /// <param name="active">How much there is still.</param>
    /// <param name="grace">For how long to wait.</param>
    /// <param name="hurry">Somebody does not want to.</param>
    /// <param name="cancel">The host does not want to either.</param>
    public static async Task WaitAsync(Func<int> active, TimeSpan grace, CancellationToken hurry, CancellationToken cancel)
    {
        long end = Environment.TickCount64 + (long)grace.TotalMilliseconds;
        while (active() != 0 && Environment.TickCount64 < end && !hurry.IsCancellationRequested && !cancel.IsCancellationRequested)
            await Task.Delay(Step, CancellationToken.None).ConfigureAwait(false);
    }
}
