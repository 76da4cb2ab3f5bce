using Tunnel.Ctl.Bench;

namespace Tunnel.Bench.Loads;

/// <summary>A figure of a lap.</summary>
/// <param name="Name">With its unit.</param>
/// <param name="MoreIsBetter">Or less.</param>
/// <param name="Read">Null where there is none, as a processor time without a tunnel.</param>
internal sealed record RaceFigure(string Name, bool MoreIsBetter, Func<Lap, double?> Read)
{
    public static readonly RaceFigure Throughput = OfResult("Mbit/s", true, r => r.MegabitsPerSecond);
    public static readonly RaceFigure Processor = OfResult("CPU s/GB", false, r => r.ProcessorSecondsPerGigabyte);
    public static readonly RaceFigure Peak = OfResult(
        "peak MiB", false, r => r.Processes.Count == 0 ? null : r.Processes.Sum(p => p.ResidentPeakBytes) / 1048576.0);

    public static readonly RaceFigure Rate = OfResult("ops/s", true, r => r.OperationsPerSecond);
    public static readonly RaceFigure P50 = OfResult("p50 us", false, r => r.Latency.Median);
    public static readonly RaceFigure P95 = OfResult("p95 us", false, r => r.Latency.P95);
    public static readonly RaceFigure P99 = OfResult("p99 us", false, r => r.Latency.P99);
    public static readonly RaceFigure P999 = OfResult("p99.9 us", false, r => r.Latency.P999);

    /// <summary>The longest that either end stood still.</summary>
    public static readonly RaceFigure LongestPause = new("longest GC pause ms", false, l => l.Garbage?.LongestMilliseconds);

    public static readonly RaceFigure Pauses = new("GC pauses/s", false, l => l.Garbage is { } g ? g.Pauses / g.Seconds : null);

    public static readonly RaceFigure Allocated = new(
        "MB allocated/GB", false, l => l.Garbage is { } g && l.Result is { Bytes: > 0 } r ? g.AllocatedPerSecond / 1e6 / (r.Bytes / r.Seconds / 1e9) : null);

    /// <summary>Of both ends, as a part of one core.</summary>
    public static readonly RaceFigure CorePart = OfResult(
        "% of a core", false, r => r.Processes.Count == 0 || r.Seconds <= 0 ? null : 100 * r.Processes.Sum(p => p.ProcessorSeconds) / r.Seconds);

    /// <summary>While nobody watched, in the same lap.</summary>
    public static readonly RaceFigure UnwatchedProcessor = new("unwatched CPU s/GB", false, l => l.Unwatched?.ProcessorSecondsPerGigabyte);

    /// <summary>1.01: being watched costs a hundredth.</summary>
    public static readonly RaceFigure ProcessorToUnwatched = new(
        "CPU to unwatched", false, l => l.Result?.ProcessorSecondsPerGigabyte / l.Unwatched?.ProcessorSecondsPerGigabyte);

    public static RaceFigure MemoryEach(int streams) => OfResult(
        "KiB a stream",
        false,
        r => r.Processes.Count == 0 ? null : r.Processes.Sum(p => (double)p.ResidentAfterBytes - p.ResidentBeforeBytes) / 1024 / streams);

    private static RaceFigure OfResult(string name, bool moreIsBetter, Func<RoundResult, double?> read) =>
        new(name, moreIsBetter, l => l.Result is { } result ? read(result) : null);
}
