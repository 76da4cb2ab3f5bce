using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Lab;

namespace Tunnel.Bench.Loads;

/// <summary>
/// A download over one running pair, watched and not by turns: what being watched costs, without what two starts of the same thing differ
/// by. The watcher has looked often enough before that the code it needs is compiled.
/// </summary>
internal sealed class WatchedLoad : RaceLoad
{
    /// <summary>Between a watcher's start and a load's, and that the watcher looks longer than the load goes on.</summary>
    private const double Margin = 1.5;

    /// <summary>What drifts, drifts for both alike: many short turns rather than a few long ones.</summary>
    private static readonly bool[] Turns = [false, true, true, false, true, false, false, true];

    private readonly Watcher _watcher;
    private readonly CtlLoad _load;

    public WatchedLoad(string name, Watcher watcher)
        : base(name, RaceFigure.Processor, RaceFigure.UnwatchedProcessor, RaceFigure.ProcessorToUnwatched)
    {
        _watcher = watcher;
        _load = new CtlLoad(name, "bulk", ["--direction", "down"], 2) { Title = name };
        TargetOffset = _load.TargetOffset;
        LeastSeconds = 10;
    }

    public override bool IsWatched => true;

    public override string? Lacks => _watcher.Lacks;

    public override async Task<Lap> MeasureAsync(LapConditions conditions, CancellationToken cancel)
    {
        string[] hosts = [conditions.Laid.Network.Client!, conditions.Laid.Network.Server!];
        await using LabProcess clientElse = Elsewhere(conditions.Ctl, hosts[0]);
        await using LabProcess serverElse = Elsewhere(conditions.Ctl, hosts[1]);
        foreach (string host in hosts)
            await _watcher.WarmUpAsync(conditions.Ctl, host, cancel).ConfigureAwait(false);
        RoundResult? watched = null, unwatched = null;
        foreach (bool isWatched in Turns)
        {
            double seconds = _load.WarmUp * conditions.WarmUpFactor + conditions.Seconds + Margin;
            Task watching = Task.WhenAll(hosts.Select(h => isWatched
                ? _watcher.WatchAsync(conditions.Ctl, h, seconds, cancel)
                : _watcher.LookAwayAsync(conditions.Ctl, h, seconds, cancel)));
            RoundResult turn = await _load.MeasureRoundAsync(conditions, cancel).ConfigureAwait(false);
            await watching.ConfigureAwait(false);
            (watched, unwatched) = isWatched ? (Join(watched, turn), unwatched) : (watched, Join(unwatched, turn));
        }

        return new Lap(watched, null) { Unwatched = unwatched };
    }

    private static LabProcess Elsewhere(string ctl, string host) => LabProcess.Start(host, ctl, "bench", "serve", "--listen", Watcher.ElsewhereAddress);

    /// <summary>Two rounds of the same load and processes as one; of one operation's times nothing is kept.</summary>
    internal static RoundResult Join(RoundResult? a, RoundResult b)
    {
        if (a is null)
            return b;
        var errors = new Dictionary<string, long>(a.Errors);
        foreach ((string kind, long count) in b.Errors)
            errors[kind] = errors.GetValueOrDefault(kind) + count;
        return b with
        {
            Seconds = a.Seconds + b.Seconds,
            Operations = a.Operations + b.Operations,
            Bytes = a.Bytes + b.Bytes,
            Errors = errors,
            Processes = [.. b.Processes.Select((p, i) => p with { ProcessorSeconds = a.Processes[i].ProcessorSeconds + p.ProcessorSeconds })],
        };
    }
}
