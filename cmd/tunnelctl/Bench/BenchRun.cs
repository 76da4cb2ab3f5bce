using System.Globalization;
using System.Runtime.InteropServices;
using Tunnel.App.Hosting;
using Tunnel.Ctl.Bench.Workloads;
using Tunnel.Ctl.Check;

namespace Tunnel.Ctl.Bench;

/// <summary>A whole bench: each concurrency, each round.</summary>
/// <param name="plan">How much.</param>
/// <param name="load">What, for the file.</param>
/// <param name="workload">Makes a worker's, by the worker's number.</param>
/// <param name="processes">Whose processor time is read.</param>
internal sealed class BenchRun(LoadPlan plan, LoadFacts load, Func<int, IWorkload> workload, IReadOnlyList<int> processes)
{
    /// <summary>Connections that are opened and closed, some times, before a process's memory is read.</summary>
    private const int FirstConnections = 50;

    private const int FirstTurns = 4;

    private static readonly TimeSpan FirstTurn = TimeSpan.FromSeconds(0.5);

    /// <summary>Told what is under way, about once a second.</summary>
    public Action<string>? Progress { get; init; }

    public async Task<BenchResult> RunAsync(CancellationToken cancel)
    {
        DateTime started = DateTime.UtcNow;
        var points = new List<BenchPoint>();
        foreach (int concurrency in plan.Concurrency)
        {
            var rounds = new List<RoundResult>();
            if (plan.HoldsStill && processes.Count != 0)
                await UseFirstAsync(concurrency, cancel).ConfigureAwait(false);
            for (int round = 1; round <= plan.Rounds; round++)
                rounds.Add(await RunRoundAsync(concurrency, round, cancel).ConfigureAwait(false));
            points.Add(new BenchPoint(concurrency, rounds, PortUse.Read(new KernelFiles())));
        }

        return new BenchResult(BenchResult.CurrentFormat, $"tunnelctl {TunnelProgram.Version}", started, ReadHost(), load, points);
    }

    public static HostFacts ReadHost() => new(
        Environment.MachineName,
        RuntimeInformation.OSDescription,
        HostIdentity.ReadProcessor(new KernelFiles()) ?? "unknown",
        Environment.ProcessorCount,
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);

    /// <summary>
    /// What a program does for the first time takes memory that no connection does: code is compiled, twice where it is hot, tables are
    /// made. A thousand connections would be told dearer each than ten thousand.
    /// </summary>
    private async Task UseFirstAsync(int concurrency, CancellationToken cancel)
    {
        LoadPlan first = plan with { WarmUp = TimeSpan.Zero, Duration = FirstTurn };
        for (int turn = 0; turn < FirstTurns; turn++)
            await new LoadRun(first, Math.Min(concurrency, FirstConnections), workload, []).RunAsync(cancel).ConfigureAwait(false);
    }

    private async Task<RoundResult> RunRoundAsync(int concurrency, int round, CancellationToken cancel)
    {
        var run = new LoadRun(plan, concurrency, workload, processes);
        using var stop = new CancellationTokenSource();
        Task reporting = ReportAsync(run, concurrency, round, stop.Token);
        try
        {
            return await run.RunAsync(cancel).ConfigureAwait(false);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await reporting.ConfigureAwait(false);
        }
    }

    private async Task ReportAsync(LoadRun run, int concurrency, int round, CancellationToken stop)
    {
        for (int second = 0; !stop.IsCancellationRequested; second++)
        {
            Progress?.Invoke(string.Create(
                CultureInfo.InvariantCulture,
                $"{load.Workload}, {concurrency} at a time, round {round} of {plan.Rounds}: {second} s, {run.Progress} operations"));
            await Task.Delay(TimeSpan.FromSeconds(1), stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
