using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Lab;

namespace Tunnel.Bench.Loads;

/// <summary>A workload and the figures that matter in it.</summary>
/// <param name="name">In tables and files.</param>
/// <param name="figures">The first is what contenders are ranked by.</param>
internal abstract class RaceLoad(string name, params RaceFigure[] figures)
{
    private static readonly RaceFigure[] Bulk =
    [
        RaceFigure.Throughput, RaceFigure.Processor, RaceFigure.Peak, RaceFigure.Pauses, RaceFigure.LongestPause, RaceFigure.Allocated,
    ];

    private static readonly string[] Down = ["--direction", "down"];

    private static readonly RaceFigure[] Echo =
    [
        RaceFigure.P50, RaceFigure.P95, RaceFigure.P99, RaceFigure.P999, RaceFigure.Pauses, RaceFigure.LongestPause,
    ];

    private static readonly RaceFigure[] Rates = [RaceFigure.Rate, RaceFigure.P50, RaceFigure.P99, RaceFigure.Pauses, RaceFigure.LongestPause];

    public static readonly IReadOnlyList<RaceLoad> All =
    [
        new CtlLoad("bulk down", "bulk", Down, 2, Bulk) { Title = "A download" },
        new CtlLoad("bulk up", "bulk", ["--direction", "up"], 2, Bulk) { Title = "An upload" },
        new CtlLoad("bulk down, 8", "bulk", [.. Down, "-c", "8"], 2, Bulk) { Title = "Eight downloads" },
        new CtlLoad("echo", "tcp", [], 1, Echo) { Title = "64 bytes there and back" },
        new CtlLoad("echo, 50", "tcp", ["-c", "50"], 1, Rates) { Title = "64 bytes there and back, fifty at a time" },
        new CtlLoad("connect", "connect", ["-c", "16"], 1, Rates) { Title = "New connections" },
        new CtlLoad("http, 50", "http", ["-c", "50"], 0, Rates) { Title = "HTTP over fifty connections" },
        new WrkLoad("wrk, 50", 50, Rates) { Title = "HTTP over fifty connections, by wrk" },
        CtlLoad.Hold(1000),
        CtlLoad.Hold(5000),
        CtlLoad.Hold(10_000),
        new IdleLoad("idle, 100 sessions", 100) { Title = "A hundred idle sessions" },
        new CtlLoad("bulk down, long", "bulk", Down, 2, RaceFigure.Throughput, RaceFigure.Processor)
        {
            Title = "A long download",
            LeastSeconds = 20,
            SaysOf = ["ours, afpacket", "ours, afpacket, [debug]"],
        },
        new WatchedLoad("bulk down, scraped", new MetricsWatcher()) { Title = "A download, metrics fetched ten times a second" },
        new WatchedLoad("bulk down, page", new PageWatcher()) { Title = "A download, the page open" },
    ];

    public string Name { get; } = name;

    /// <summary>In pictures.</summary>
    public required string Title { get; init; }

    public IReadOnlyList<RaceFigure> Figures { get; } = figures;

    /// <summary>The contenders of whom it says something, which a whole run keeps to; null: all.</summary>
    public IReadOnlyList<string>? SaysOf { get; init; }

    /// <summary>Seconds that a lap measures at least.</summary>
    public double LeastSeconds { get; init; }

    /// <summary>Whether somebody looks at the contender's diagnostics meanwhile.</summary>
    public virtual bool IsWatched => false;

    /// <summary>Which of the target's ports, from the first.</summary>
    public int TargetOffset { get; protected init; }

    /// <summary>Sessions that the contender keeps; null: as many as it would.</summary>
    public int? Sessions { get; protected init; }

    /// <summary>Laps beyond which nothing is learned.</summary>
    public int MaximumRounds { get; protected init; } = int.MaxValue;

    /// <summary>Whether the collector may be watched: that costs some memory, which must not be in a figure of memory.</summary>
    public bool WatchesGarbage { get; protected init; }

    /// <summary>Seconds before the window.</summary>
    public double WarmUp { get; protected init; } = 2;

    /// <summary>Why it cannot run here; null: it can.</summary>
    public virtual string? Lacks => null;

    /// <exception cref="LabException">It did not run to its end.</exception>
    public abstract Task<Lap> MeasureAsync(LapConditions conditions, CancellationToken cancel);

    public string Describe(Lap lap)
    {
        if (lap.Result is not { } result)
            return $"failed: {lap.Failure}";
        string figures = string.Join(", ", Figures.Where(f => f.Read(lap) is not null).Select(f => $"{BenchTable.Digits(f.Read(lap)!.Value)} {f.Name}"));
        return result.ErrorCount == 0 ? figures : $"{figures}, {result.ErrorCount} errors";
    }
}
