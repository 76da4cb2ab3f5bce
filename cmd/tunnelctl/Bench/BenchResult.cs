using System.Text.Json.Serialization;

namespace Tunnel.Ctl.Bench;

/// <summary>A bench as it is kept in a file: what was asked, where it ran, and each round's figures.</summary>
/// <param name="Format">The file's version.</param>
/// <param name="Tool">The program and its version.</param>
/// <param name="Started">When, in UTC.</param>
/// <param name="Host">Where the load was made.</param>
/// <param name="Load">What was asked for.</param>
/// <param name="Points">One for each concurrency.</param>
/// <param name="HostRecord">What the host was set to and what it counted; null in results that were not kept.</param>
internal sealed record BenchResult(
    int Format, string Tool, DateTime Started, HostFacts Host, LoadFacts Load, IReadOnlyList<BenchPoint> Points, HostRecord? HostRecord = null)
{
    public const int CurrentFormat = 2;

    /// <summary>Nothing was done in any round, so that there is no figure but the errors.</summary>
    private bool IsEmpty => Points.All(p => p.Rounds.All(r => r is { Operations: 0, Bytes: 0 } && (Load.Workload != "hold" || r.ErrorCount >= p.Concurrency)));

    /// <summary>There is processor time (--pid), and something that it was spent on, in every round.</summary>
    [JsonIgnore]
    public bool HasProcesses => Points.All(p => p.Rounds.All(r => r.Processes.Count != 0 && r.Operations != 0));

    /// <exception cref="BenchException">Every operation failed.</exception>
    /// <param name="advice">What to try where it went through a proxy.</param>
    public void ThrowIfEmpty(string advice = "")
    {
        string through = Load.Through is null ? "" : $" through {Load.Through}{advice}";
        if (IsEmpty)
            throw new BenchException($"nothing was measured: not one operation was done at {Load.Target}{through}");
    }

    /// <summary>One result of two parts of the same bench, which ran one after the other.</summary>
    /// <param name="first">Null: there is the second only.</param>
    /// <param name="second">Of the same load.</param>
    public static BenchResult Join(BenchResult? first, BenchResult second) => first is null ? second : first with
    {
        Points = [.. first.Points.Zip(second.Points, (a, b) => a with { Rounds = [.. a.Rounds, .. b.Rounds] })],
        HostRecord = first.HostRecord is null || second.HostRecord is null ? null : HostRecord.Join(first.HostRecord, second.HostRecord),
    };
}

/// <param name="Name">The host's name.</param>
/// <param name="System">Operating system and kernel.</param>
/// <param name="Processor">The processor's model; "unknown" where the kernel does not say.</param>
/// <param name="Processors">How many.</param>
/// <param name="MemoryBytes">Of the machine, or of the control group.</param>
internal sealed record HostFacts(string Name, string System, string Processor, int Processors, long MemoryBytes);

/// <param name="Workload">http, tcp, connect, udp, bulk or hold.</param>
/// <param name="Target">As it was given.</param>
/// <param name="Through">The proxy, without its password; null: straight.</param>
/// <param name="Detail">What is particular to the workload.</param>
/// <param name="WarmUpSeconds">Before each round, not counted.</param>
/// <param name="Seconds">That a round measures; null: by requests.</param>
/// <param name="Requests">That a round measures; null: by time.</param>
/// <param name="Rate">Operations a second, on a schedule; null: as fast as answers come.</param>
internal sealed record LoadFacts(
    string Workload, string Target, string? Through, string Detail, double WarmUpSeconds, double? Seconds, long? Requests,
    [property: JsonPropertyName("rate_per_second")] double? Rate)
{
    /// <summary>The first hop is this host, as far as the address says.</summary>
    [JsonIgnore]
    public bool IsLoopback => (Through ?? Target) is var way && (way.Contains("127.0.", StringComparison.Ordinal)
        || way.Contains("localhost", StringComparison.Ordinal) || way.Contains("[::1]", StringComparison.Ordinal));
}

/// <param name="Concurrency">Workers.</param>
/// <param name="Rounds">In the order in which they ran.</param>
/// <param name="Ports">After the last of them; null where the kernel does not tell.</param>
internal sealed record BenchPoint(int Concurrency, IReadOnlyList<RoundResult> Rounds, PortUse? Ports = null);

/// <summary>One window.</summary>
/// <param name="Seconds">How long it was open.</param>
/// <param name="Operations">Done within it.</param>
/// <param name="Bytes">Of payload.</param>
/// <param name="Unfinished">Due by the schedule, or under way for a tenth of the window, and not done; their time so far is in the percentiles.</param>
/// <param name="Latency">Of operations.</param>
/// <param name="Connect">Of new connections.</param>
/// <param name="Errors">By kind.</param>
/// <param name="Processes">What the watched processes spent.</param>
internal sealed record RoundResult(
    double Seconds,
    long Operations,
    long Bytes,
    long Unfinished,
    LatencyFacts Latency,
    LatencyFacts Connect,
    IReadOnlyDictionary<string, long> Errors,
    IReadOnlyList<ProcessUse> Processes)
{
    [JsonIgnore]
    public double OperationsPerSecond => Seconds > 0 ? Operations / Seconds : 0;

    [JsonIgnore]
    public double MegabitsPerSecond => Seconds > 0 ? Bytes * 8 / Seconds / 1e6 : 0;

    [JsonIgnore]
    public long ErrorCount => Errors.Values.Sum();

    /// <summary>Processor seconds of all watched processes for each 10^9 bytes; null without processes or bytes.</summary>
    [JsonIgnore]
    public double? ProcessorSecondsPerGigabyte =>
        Processes.Count == 0 || Bytes == 0 ? null : Processes.Sum(p => p.ProcessorSeconds) / (Bytes / 1e9);

    /// <summary>Processor time of all watched processes for each operation, in microseconds; null without processes or operations.</summary>
    [JsonIgnore]
    public double? ProcessorMicrosecondsPerOperation =>
        Processes.Count == 0 || Operations == 0 ? null : Processes.Sum(p => p.ProcessorSeconds) * 1e6 / Operations;

    public static RoundResult Of(Tally tally, double seconds, IReadOnlyList<ProcessUse> processes) => new(
        seconds,
        tally.Operations,
        tally.Bytes,
        tally.Unfinished,
        LatencyFacts.Of(tally.Latency),
        LatencyFacts.Of(tally.Connect),
        tally.Errors.ToDictionary(e => JsonText.Word(e.Key), e => e.Value),
        processes);
}

/// <summary>Durations in microseconds.</summary>
internal sealed record LatencyFacts(
    long Count,
    [property: JsonPropertyName("minimum_microseconds")] double Minimum,
    [property: JsonPropertyName("mean_microseconds")] double Mean,
    [property: JsonPropertyName("median_microseconds")] double Median,
    [property: JsonPropertyName("standard_deviation_microseconds")] double StandardDeviation,
    [property: JsonPropertyName("p95_microseconds")] double P95,
    [property: JsonPropertyName("p99_microseconds")] double P99,
    [property: JsonPropertyName("p999_microseconds")] double P999,
    [property: JsonPropertyName("maximum_microseconds")] double Maximum)
{
    /// <summary>
    /// How far mean and median are apart, in deviations, computed as ab does from times in whole milliseconds. (Unrounded they are never
    /// more than one apart, so its error always says as well that the times are about as small as its clock's step.)
    /// </summary>
    [JsonIgnore]
    public double Skew
    {
        get
        {
            double apart = Math.Abs(Math.Round(Mean / 1e3) - Math.Round(Median / 1e3));
            return apart == 0 ? 0 : apart / Math.Max(StandardDeviation / 1e3, 1e-9);
        }
    }

    public static LatencyFacts Of(LatencyHistogram h) => new(
        h.Count,
        h.Minimum / 1e3,
        h.Mean / 1e3,
        h.Percentile(0.5) / 1e3,
        h.StandardDeviation / 1e3,
        h.Percentile(0.95) / 1e3,
        h.Percentile(0.99) / 1e3,
        h.Percentile(0.999) / 1e3,
        h.Maximum / 1e3);
}

/// <param name="Id">The process id.</param>
/// <param name="Name">Its program; empty when there was no such process.</param>
/// <param name="ProcessorSeconds">User and system time within the window.</param>
/// <param name="ResidentBeforeBytes">Memory before the load.</param>
/// <param name="ResidentAfterBytes">Memory when the window closed.</param>
/// <param name="ResidentPeakBytes">The most it ever had.</param>
internal sealed record ProcessUse(
    int Id, string Name, double ProcessorSeconds, long ResidentBeforeBytes, long ResidentAfterBytes, long ResidentPeakBytes);
