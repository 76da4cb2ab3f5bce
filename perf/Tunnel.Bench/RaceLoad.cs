using Tunnel.Ctl.Bench;

namespace Tunnel.Bench;

/// <summary>A workload and the figures that matter in it.</summary>
/// <param name="Name">In tables and files.</param>
/// <param name="Verb">tunnelctl bench's.</param>
/// <param name="Options">Its options.</param>
/// <param name="TargetOffset">Which of the target's ports.</param>
/// <param name="Figures">The first is what contenders are ranked by.</param>
internal sealed record RaceLoad(string Name, string Verb, string[] Options, int TargetOffset, IReadOnlyList<RaceFigure> Figures)
{
    private static readonly RaceFigure Throughput = new("Mbit/s", true, r => r.MegabitsPerSecond);
    private static readonly RaceFigure Processor = new("CPU s/GB", false, r => r.ProcessorSecondsPerGigabyte);
    private static readonly RaceFigure Peak = new("peak MiB", false, r => r.Processes.Count == 0 ? null : r.Processes.Sum(p => p.ResidentPeak) / 1048576.0);
    private static readonly RaceFigure Rate = new("ops/s", true, r => r.OperationsPerSecond);
    private static readonly RaceFigure P50 = new("p50 us", false, r => r.Latency.Median);
    private static readonly RaceFigure P95 = new("p95 us", false, r => r.Latency.P95);
    private static readonly RaceFigure P99 = new("p99 us", false, r => r.Latency.P99);
    private static readonly RaceFigure P999 = new("p99.9 us", false, r => r.Latency.P999);

    public static readonly IReadOnlyList<RaceLoad> All =
    [
        new("bulk down", "bulk", ["--direction", "down"], 2, [Throughput, Processor, Peak]),
        new("bulk up", "bulk", ["--direction", "up"], 2, [Throughput, Processor, Peak]),
        new("bulk down, 8", "bulk", ["--direction", "down", "-c", "8"], 2, [Throughput, Processor, Peak]),
        new("echo", "tcp", [], 1, [P50, P95, P99, P999]),
        new("echo, 50", "tcp", ["-c", "50"], 1, [Rate, P50, P99]),
        new("connect", "connect", ["-c", "16"], 1, [Rate, P50, P99]),
        new("http, 50", "http", ["-c", "50"], 0, [Rate, P50, P99]),
        Hold(1000),
        Hold(5000),
    ];

    /// <summary>Before the window: a first window's growth, ready-to-run code's replacement.</summary>
    public double WarmUp => Verb == "hold" ? 4 : 2;

    public bool IsHttp => Verb == "http";

    public string Describe(Lap lap)
    {
        if (lap.Result is not { } result)
            return $"failed: {lap.Failure}";
        string figures = string.Join(", ", Figures.Where(f => f.Read(result) is not null).Select(f => $"{BenchTable.Digits(f.Read(result)!.Value)} {f.Name}"));
        return result.ErrorCount == 0 ? figures : $"{figures}, {result.ErrorCount} errors";
    }

    private static RaceLoad Hold(int streams) => new(
        $"hold {streams}", "hold", ["-c", $"{streams}"], 1,
        [new("KiB a stream", false, r => r.Processes.Count == 0 ? null : r.Processes.Sum(p => (double)p.ResidentAfter - p.ResidentBefore) / 1024 / streams)]);
}

/// <summary>A figure of a lap.</summary>
/// <param name="Name">With its unit.</param>
/// <param name="MoreIsBetter">Or less.</param>
/// <param name="Read">Null where there is none, as a processor time without a tunnel.</param>
internal sealed record RaceFigure(string Name, bool MoreIsBetter, Func<RoundResult, double?> Read);
