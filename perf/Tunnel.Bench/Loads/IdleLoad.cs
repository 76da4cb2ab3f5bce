using System.Diagnostics;
using Tunnel.App.Diagnostics.Profiles;
using Tunnel.Ctl;
using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Lab;

namespace Tunnel.Bench.Loads;

/// <summary>Nothing at all: what sessions cost that only stay.</summary>
internal sealed class IdleLoad : RaceLoad
{
    /// <summary>A session that has just begun is not idle: path probes, first keepalives, code that is compiled.</summary>
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(60);

    /// <summary>Several keepalives of every session.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(30);

    public IdleLoad(string name, int sessions)
        : base(name, RaceFigure.CorePart)
    {
        Sessions = sessions;
        TargetOffset = 1;
        MaximumRounds = 1;
    }

    public override async Task<Lap> MeasureAsync(LapConditions conditions, CancellationToken cancel)
    {
        await UseAllAsync(conditions, cancel).ConfigureAwait(false);
        await Task.Delay(Settling, cancel).ConfigureAwait(false);
        IReadOnlyList<int> ids = await conditions.Running.ReadProcessIdsAsync(cancel).ConfigureAwait(false);
        // By the scheduler's account in nanoseconds: the few ticks of 10 ms that are spent would be a coarse figure.
        ThreadClock[] clocks = [.. ids.Select(id => new ThreadClock(id))];
        ReadAll(clocks);
        long start = Stopwatch.GetTimestamp();
        await Task.Delay(Window, cancel).ConfigureAwait(false);
        ReadAll(clocks);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        ProcessUse[] processes = [.. clocks.Select((c, i) => new ProcessUse(ids[i], "", c.Spent.Sum(t => t.Nanoseconds) / 1e9, 0, 0, 0))];
        var none = LatencyFacts.Of(new LatencyHistogram());
        return new Lap(new RoundResult(seconds, 0, 0, 0, none, none, new Dictionary<string, long>(), processes), null);
    }

    /// <summary>Some open a session only when it is wanted, each in its turn.</summary>
    private async Task UseAllAsync(LapConditions conditions, CancellationToken cancel)
    {
        string json = await LabProcess.RunAsync(
            conditions.Laid.Network.Client,
            cancel,
            conditions.Ctl, "bench", "connect", conditions.Running.Target, "--requests", $"{2 * Sessions}", "--rounds", "1", "--json").ConfigureAwait(false);
        RoundResult opened = JsonText.Read<BenchResult>(json).Points[0].Rounds[0];
        if (opened.ErrorCount != 0)
            throw new LabException($"{opened.ErrorCount} of {2 * Sessions} connections failed");
    }

    private static void ReadAll(ThreadClock[] clocks)
    {
        foreach (ThreadClock clock in clocks)
            clock.Read();
    }
}
