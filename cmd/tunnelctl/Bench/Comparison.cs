namespace Tunnel.Ctl.Bench;

/// <summary>What changed between two benches of the same load.</summary>
/// <param name="Before">The first file.</param>
/// <param name="After">The second.</param>
/// <param name="Warnings">What makes the two hard to compare.</param>
/// <param name="Rows">One for each concurrency that both have, and figure.</param>
internal sealed record Comparison(string Before, string After, IReadOnlyList<string> Warnings, IReadOnlyList<ComparedFigure> Rows)
{
    /// <exception cref="BenchException">They have nothing in common.</exception>
    public static Comparison Of(string beforeName, BenchResult before, string afterName, BenchResult after)
    {
        if (before.Load.Workload != after.Load.Workload)
            throw new BenchException($"{beforeName} is a bench of {before.Load.Workload}, {afterName} of {after.Load.Workload}");
        ComparedFigure[] rows =
        [
            .. from b in before.Points
               join a in after.Points on b.Concurrency equals a.Concurrency
               from figure in Figure.Of(before.Load.Workload, before.HasProcesses && after.HasProcesses)
               select ComparedFigure.Of(b.Concurrency, figure, b.Rounds, a.Rounds),
        ];
        return rows.Length != 0
            ? new Comparison(beforeName, afterName, [.. Differences(before, after)], rows)
            : throw new BenchException($"{beforeName} and {afterName} have no concurrency in common");
    }

    private static IEnumerable<string> Differences(BenchResult before, BenchResult after)
    {
        if (before.Host != after.Host)
            yield return $"they ran on different hosts, or the host changed: {before.Host.Name} and {after.Host.Name}";
        if (before.Load != after.Load)
            yield return "target, way or amount of load are not the same";
        if (before.Points.Concat(after.Points).Any(p => p.Rounds.Count < 2))
            yield return "a single round cannot tell a change from noise: use --rounds 5";
    }
}

/// <param name="Concurrency">Workers.</param>
/// <param name="Figure">Which, with its unit.</param>
/// <param name="Before">Median of the rounds.</param>
/// <param name="After">Median of the rounds.</param>
/// <param name="ChangePercent">Of before; null when that was 0.</param>
/// <param name="Verdict">Whether the rounds' means differ by more than their noise.</param>
/// <param name="Low">The difference's 95 % confidence interval, in the figure's unit; null with one round.</param>
/// <param name="High">Its upper end.</param>
internal sealed record ComparedFigure(
    int Concurrency, string Figure, double Before, double After, double? ChangePercent, Verdict Verdict, double? Low, double? High)
{
    public static ComparedFigure Of(int concurrency, Figure figure, IReadOnlyList<RoundResult> before, IReadOnlyList<RoundResult> after)
    {
        double[] b = [.. before.Select(figure.Read)], a = [.. after.Select(figure.Read)];
        double from = Statistics.Median(b), to = Statistics.Median(a);
        (double Low, double High)? interval = Statistics.DifferenceOfMeans(b, a);
        return new ComparedFigure(
            concurrency, figure.Name, from, to, from == 0 ? null : 100 * (to / from - 1), Judge(figure.MoreIsBetter, interval), interval?.Low, interval?.High);
    }

    /// <summary>Whether the difference of two means is one.</summary>
    public static Verdict Judge(bool moreIsBetter, (double Low, double High)? interval) => interval switch
    {
        null => Verdict.Unknown,
        { Low: <= 0, High: >= 0 } => Verdict.Noise,
        { Low: > 0 } => moreIsBetter ? Verdict.Better : Verdict.Worse,
        _ => moreIsBetter ? Verdict.Worse : Verdict.Better,
    };
}

/// <summary>Whether a change is one.</summary>
internal enum Verdict
{
    /// <summary>The interval holds 0: rounds of the same thing differ as much.</summary>
    Noise,

    Better,

    Worse,

    /// <summary>There was one round only.</summary>
    Unknown,
}

/// <summary>One of a round's figures.</summary>
/// <param name="Name">With its unit.</param>
/// <param name="MoreIsBetter">Or less.</param>
/// <param name="Read">Takes it from a round.</param>
internal sealed record Figure(string Name, bool MoreIsBetter, Func<RoundResult, double> Read)
{
    /// <summary>The figure that is bad even once.</summary>
    public const string ErrorsName = "errors";

    private static readonly Figure Rate = new("operations/s", true, r => r.OperationsPerSecond);
    private static readonly Figure Throughput = new("Mbit/s", true, r => r.MegabitsPerSecond);
    private static readonly Figure P50 = new("p50 us", false, r => r.Latency.Median);
    private static readonly Figure P95 = new("p95 us", false, r => r.Latency.P95);
    private static readonly Figure P99 = new("p99 us", false, r => r.Latency.P99);
    private static readonly Figure P999 = new("p99.9 us", false, r => r.Latency.P999);
    private static readonly Figure Errors = new(ErrorsName, false, r => r.ErrorCount);
    private static readonly Figure ProcessorOfBytes = new("CPU s/GB", false, r => r.ProcessorSecondsPerGigabyte ?? 0);
    private static readonly Figure ProcessorOfOperations = new("CPU us/op", false, r => r.ProcessorMicrosecondsPerOperation ?? 0);

    /// <summary>
    /// A change is judged by this one. Not by the far percentiles: a round has too few such operations, so they differ from round to round
    /// by more than most changes do.
    /// </summary>
    public static bool IsJudged(string name) => name != P99.Name && name != P999.Name;

    /// <summary>Those that a picture shows.</summary>
    public static IReadOnlyList<Figure> Shown(string workload) => workload switch
    {
        "bulk" => [Throughput],
        "hold" => [Errors],
        "connect" => [Rate, P50, P95],
        _ => [P50, P95],
    };

    /// <summary>Those that mean something for a workload.</summary>
    /// <param name="workload">By its name.</param>
    /// <param name="hasProcesses">Processor time was read; where it was not, it is no 0.</param>
    public static IReadOnlyList<Figure> Of(string workload, bool hasProcesses)
    {
        Figure[] figures = workload switch
        {
            "bulk" => [Throughput, Errors],
            "hold" => [Errors],
            _ => [Rate, P50, P95, P99, P999, Errors],
        };
        return hasProcesses && ProcessorOf(workload) is { } processor ? [.. figures, processor] : figures;
    }

    /// <summary>What processor time is set against; null where nothing is carried.</summary>
    public static Figure? ProcessorOf(string workload) => workload switch
    {
        "bulk" => ProcessorOfBytes,
        "hold" => null,
        _ => ProcessorOfOperations,
    };
}
