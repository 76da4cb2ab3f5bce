using System.Globalization;
using Spectre.Console;

namespace Tunnel.Ctl.Bench;

/// <summary>Results for people: medians of the rounds.</summary>
internal static class BenchTable
{
    private static readonly Func<LatencyFacts, double>[] Percentiles = [t => t.Median, t => t.P95, t => t.P99, t => t.P999, t => t.Maximum];

    public static void Print(IAnsiConsole console, BenchResult result)
    {
        bool isBulk = result.Load.Workload == "bulk", isHold = result.Load.Workload == "hold";
        bool hasProcesses = result.Points.Any(p => p.Rounds.Any(r => r.Processes.Count != 0));
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn(Right("at a time"));
        string[] names = isHold ? ["held", "lost"] : isBulk ? ["Mbit/s", "errors"] : ["ops/s", "p50", "p95", "p99", "p99.9", "max", "errors"];
        foreach (string name in names)
            table.AddColumn(Right(name));
        if (hasProcesses)
            table.AddColumn(Right(Figure.ProcessorOf(result.Load.Workload)?.Name ?? "KiB each"));
        foreach (BenchPoint point in result.Points)
            table.AddRow([.. Row(point, result.Load.Workload, hasProcesses)]);
        console.Write(table.Fitted(console.Profile.Width));
        // Not through the console: it breaks lines where a terminal would end, even into files.
        foreach (string line in Remarks(result))
            console.Profile.Out.Writer.WriteLine(line);
    }

    public static void Print(IAnsiConsole console, Comparison comparison)
    {
        var table = new Table { Border = TableBorder.Simple };
        table.AddColumn(Right("at a time"));
        table.AddColumn("figure");
        foreach (string name in (string[])["before", "after", "change", "95 % of the difference"])
            table.AddColumn(Right(name));
        table.AddColumn("so");
        foreach (ComparedFigure row in comparison.Rows)
            table.AddRow([.. Row(row)]);
        console.Write(table.Fitted(console.Profile.Width));
        foreach (string warning in comparison.Warnings)
            console.Profile.Out.Writer.WriteLine($"note: {warning}");
    }

    /// <summary>A duration with three digits and its unit.</summary>
    public static string Time(double microseconds) => microseconds switch
    {
        < 1000 => Digits(microseconds) + " us",
        < 1e6 => Digits(microseconds / 1e3) + " ms",
        _ => Digits(microseconds / 1e6) + " s",
    };

    public static string Digits(double value) => Math.Abs(value) switch
    {
        < 10 => value.ToString("0.00", CultureInfo.InvariantCulture),
        < 100 => value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.ToString("#,0", CultureInfo.InvariantCulture),
    };

    public static string Words(Verdict verdict) => verdict switch
    {
        Verdict.Noise => "noise",
        Verdict.Better => "better",
        Verdict.Worse => "worse",
        _ => "one round: unknown",
    };

    public static string Percent(double? change) =>
        change is { } c ? c.ToString("+0.0;-0.0;0.0", CultureInfo.InvariantCulture) + " %" : "-";

    /// <summary>The 95 % confidence interval of a difference.</summary>
    public static string Interval(ComparedFigure row) => row.Low is { } low && row.High is { } high ? $"{Digits(low)} to {Digits(high)}" : "-";

    /// <summary>ab's warning about connection times; empty when there is none.</summary>
    public static string Reliability(LatencyFacts connect) => connect.Skew switch
    {
        > 2 => "mean and median are more than two deviations apart: these times are not reliable",
        > 1 => "mean and median are more than one deviation apart",
        _ => "",
    };

    private static IEnumerable<string> Row(BenchPoint point, string workload, bool hasProcesses)
    {
        bool isBulk = workload == "bulk", isHold = workload == "hold";
        double Of(Func<RoundResult, double> figure) => Statistics.Median([.. point.Rounds.Select(figure)]);
        yield return Count(point.Concurrency);
        if (isHold)
            yield return Digits(point.Concurrency - Of(r => r.ErrorCount));
        else
            yield return Digits(isBulk ? Of(r => r.MegabitsPerSecond) : Of(r => r.OperationsPerSecond));
        if (!isBulk && !isHold)
        {
            // Nothing was done: there is no time, not one of zero.
            bool isTimed = point.Rounds.Any(r => r.Latency.Count != 0);
            foreach (Func<LatencyFacts, double> figure in Percentiles)
                yield return isTimed ? Time(Of(r => figure(r.Latency))) : "-";
        }

        yield return Count(point.Rounds.Sum(r => r.ErrorCount));
        if (hasProcesses)
            yield return Figure.ProcessorOf(workload) is { } processor ? Digits(Of(processor.Read)) : MemoryEach(point);
    }

    /// <summary>In KiB. Processes grow and shrink by themselves, too: below that nobody can tell what a connection takes.</summary>
    private static string MemoryEach(BenchPoint point)
    {
        double growth = Statistics.Median([.. point.Rounds.Select(r => r.Processes.Sum(p => (double)p.ResidentAfterBytes - p.ResidentBeforeBytes))]);
        double least = point.Rounds.Max(r => r.Processes.Count) * ProcessMeter.RestGrowth;
        return (growth > least ? "" : "< ") + Digits(Math.Max(growth, least) / point.Concurrency / 1024);
    }

    private static IEnumerable<string> Row(ComparedFigure row)
    {
        yield return Count(row.Concurrency);
        yield return row.Figure;
        yield return Digits(row.Before);
        yield return Digits(row.After);
        yield return Percent(row.ChangePercent);
        yield return Interval(row);
        yield return Words(row.Verdict);
    }

    /// <summary>What a table of medians does not say.</summary>
    private static IEnumerable<string> Remarks(BenchResult result)
    {
        foreach (BenchPoint point in result.Points)
        {
            foreach (IGrouping<string, long> kind in point.Rounds.SelectMany(r => r.Errors).GroupBy(e => e.Key, e => e.Value))
                yield return $"{point.Concurrency} at a time: {kind.Sum()} errors: {kind.Key}";
            if (point.Rounds.Sum(r => r.Unfinished) is var late and not 0)
            {
                yield return $"{point.Concurrency} at a time: {late} {(late == 1 ? "operation was" : "operations were")} due, or long under way, "
                    + "and not done when the window closed; the percentiles hold them";
            }

            LatencyFacts connect = point.Rounds[^1].Connect;
            if (connect.Count != 0)
                yield return Connections(point.Concurrency, connect);
            if (connect.Count != 0 && point.Ports?.Warning(result.Load.IsLoopback) is { Length: > 0 } scarce)
                yield return $"{point.Concurrency} at a time: {scarce}";
        }
    }

    private static string Connections(int concurrency, LatencyFacts connect)
    {
        string line = $"{concurrency} at a time: connecting took min {Time(connect.Minimum)}, mean {Time(connect.Mean)} "
            + $"(deviation {Time(connect.StandardDeviation)}), median {Time(connect.Median)}, max {Time(connect.Maximum)}";
        return Reliability(connect) is { Length: > 0 } warning ? $"{line}; {warning}" : line;
    }

    private static TableColumn Right(string name) => new TableColumn(name).RightAligned();

    private static string Count(long count) => count.ToString("#,0", CultureInfo.InvariantCulture);
}
