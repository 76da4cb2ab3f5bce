using System.Diagnostics;
using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Bench.Workloads;

namespace Tunnel.Tests.Bench;

public class LoadRunTests
{
    /// <summary>
    /// What processes have is read when the window closes, and not after thousands of connections have been closed, which takes time and memory
    /// that holding them does not. Here it ends the process, so that whoever looks later finds nothing.
    /// </summary>
    [Fact(Timeout = 60_000)]
    public async Task ClosingIsNotMeasured()
    {
        using Process watched = Process.Start("sleep", "60");
        try
        {
            var plan = new LoadPlan([1], 1, TimeSpan.FromMilliseconds(20), null, TimeSpan.Zero, null, TimeSpan.FromHours(1));
            RoundResult result = await new LoadRun(plan, 1, _ => new Held(watched), [watched.Id]).RunAsync(TestContext.Current.CancellationToken);
            Assert.True(watched.HasExited);
            Assert.Equal("sleep", Assert.Single(result.Processes).Name);
        }
        finally
        {
            watched.Kill();
        }
    }

    /// <summary>A connection whose closing ends a process.</summary>
    private sealed class Held(Process ends) : IWorkload
    {
        private readonly TaskCompletionSource<long> _aborted = new();

        public ValueTask<long> OperateAsync(LatencyHistogram connect, bool isMeasured) => new(_aborted.Task);

        public void Reset()
        {
            // There is no connection.
        }

        public void Abort()
        {
            ends.Kill();
            ends.WaitForExit();
            _aborted.TrySetException(new IOException("closed"));
        }

        public void Dispose()
        {
            // Nothing is held.
        }
    }
}
