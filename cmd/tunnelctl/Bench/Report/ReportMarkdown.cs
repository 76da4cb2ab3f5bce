using System.Globalization;
using System.Text;
using Tunnel.Ctl.Check;
using Tunnel.Ctl.Check.Knobs;
using Tunnel.Ctl.Check.Proc;
using Tunnel.Ctl.Check.Snapshots;

namespace Tunnel.Ctl.Bench.Report;

/// <summary>A report as a note in Markdown: what it comes to first, then what was measured, then the host.</summary>
internal static class ReportMarkdown
{
    /// <summary>Counters that a note about load shows when they grew; a snapshot has all of them.</summary>
    private static readonly string[] TellingCounters =
        ["net.TcpExt.Listen", "net.TcpExt.TCPTimeouts", "net.TcpExt.TCPAbort", "softnet.", "link.rx_dropped", "link.tx_dropped", "link.rx_missed"];

    /// <param name="report">What is written down.</param>
    /// <param name="chart">The picture's file, beside the note; null: there is none.</param>
    public static string Write(BenchReport report, string? chart)
    {
        var text = new StringBuilder();
        Interpretation meaning = report.Interpretation;
        Line(text, $"# {Title(report)}\n");
        Line(text, $"{meaning.Summary}\n");
        AppendSettings(text, report);
        AppendLoad(text, report);
        if (chart is not null)
            Line(text, $"![medians of {report.Before.Load.Workload}, before and after]({chart})\n");
        AppendFigures(text, report);
        AppendConnections(text, report);
        AppendListeners(text, report);
        Line(text, "## What it means\n");
        Line(text, MentalModel.Of(report.Knob) + "\n");
        Line(text, $"> {meaning.RuleOfThumb}\n");
        AppendHost(text, report);
        return text.ToString().TrimEnd() + "\n";
    }

    /// <summary>A knob that was not turned is not what the two differ by: the change was made elsewhere, such as in the tunnel's file.</summary>
    private static string Title(BenchReport report) => report switch
    {
        { After: null } => $"{report.Knob.Name}: {report.Before.Load.Workload} measured",
        { IsTurned: true } => $"{report.Knob.Name}: {report.Before.Load.Workload} before and after",
        _ => $"{report.Before.Load.Workload} before and after, with {report.Knob.Name} as it was",
    };

    private static void AppendSettings(StringBuilder text, BenchReport report)
    {
        Line(text, "## Current and target values\n");
        Line(text, $"| setting | {(report.After is null ? "current" : "before | after")} | target ({Low(report.Before.HostRecord!.Before.Profile)}) | why |");
        Line(text, report.After is null ? "|---|---|---|---|" : "|---|---|---|---|---|");
        Knob[] shown = [report.Knob, .. BacklogKnobs(report), .. report.Changed.Select(c => KnobCatalog.Find(c.Name)).OfType<Knob>()];
        foreach (Knob knob in shown.Distinct())
        {
            string target = report.Before.HostRecord!.Before.Findings.GetValueOrDefault(knob.Name) is { Should.Length: > 0 } finding ? finding.Should : "-";
            string after = report.After is null ? "" : $" {BenchReport.ValueOf(report.After, knob.Name) ?? "-"} |";
            Line(text, $"| `{knob.Name}` | {BenchReport.ValueOf(report.Before, knob.Name) ?? "-"} |{after} {target} | {knob.Why} |");
        }

        SettingChange[] others = [.. report.Changed.Where(c => KnobCatalog.Find(c.Name) is null)];
        if (others.Length != 0)
            Line(text, $"\nAlso not the same in both: {string.Join(", ", others.Select(c => $"`{c.Name}` {c.Before ?? "-"} -> {c.After ?? "-"}"))}.");
        Line(text, report.IsTurned
            ? $"\nTo set it for good: `tunnelctl check --apply --only {report.Knob.Name} --persist`.\n"
            : $"\nTo change it and measure again: `tunnelctl tune-loop {report.Knob.Name}`.\n");
    }

    private static Knob[] BacklogKnobs(BenchReport report) =>
        BacklogFigures.Concerns(report.Knob) ? [SysctlKnobs.Somaxconn, SysctlKnobs.SynBacklog] : [];

    private static void AppendLoad(StringBuilder text, BenchReport report)
    {
        LoadFacts load = report.Before.Load;
        Line(text, "## The load\n");
        string much = load.Requests is { } requests ? $"{requests} operations" : string.Create(CultureInfo.InvariantCulture, $"{load.Seconds} s");
        string rate = load.Rate is { } r ? string.Create(CultureInfo.InvariantCulture, $", {r} a second on a schedule") : "";
        Line(text, string.Create(
            CultureInfo.InvariantCulture,
            $"`{load.Workload}` ({load.Detail}) to {load.Target}{(load.Through is null ? "" : $" through {load.Through}")}: "
            + $"{report.Before.Points[0].Rounds.Count} rounds of {much}{rate} after {load.WarmUpSeconds} s of warm-up, "
            + $"with {string.Join(", ", report.Before.Points.Select(p => p.Concurrency))} at a time.\n"));
        foreach (string warning in report.Comparison?.Warnings ?? [])
            Line(text, $"Note: {warning}.\n");
    }

    private static void AppendFigures(StringBuilder text, BenchReport report)
    {
        if (report.Comparison is { } comparison)
        {
            Line(text, "| at a time | figure | before | after | change | 95 % of the difference | so |\n|---:|---|---:|---:|---:|---:|---|");
            foreach (ComparedFigure row in comparison.Rows)
                Line(text, RowOf(row));
            Line(text, "\nMedians of the rounds. \"noise\": rounds of the same thing differ as much.\n");
            AppendErrors(text, report.Before, "before");
            AppendErrors(text, report.After!, "after");
            return;
        }

        Figure[] figures = [.. Figure.Of(report.Before.Load.Workload, report.Before.HasProcesses)];
        Line(text, $"| at a time |{string.Concat(figures.Select(f => $" {f.Name} |"))}\n|---:|{string.Concat(figures.Select(_ => "---:|"))}");
        foreach (BenchPoint point in report.Before.Points)
            Line(text, $"| {point.Concurrency} |{string.Concat(figures.Select(f => $" {BenchTable.Digits(Statistics.Median([.. point.Rounds.Select(f.Read)]))} |"))}");
        Line(text, "\nMedians of the rounds.\n");
        AppendErrors(text, report.Before, "in all");
    }

    private static void AppendErrors(StringBuilder text, BenchResult result, string when)
    {
        var kinds = result.Points.SelectMany(p => p.Rounds).SelectMany(r => r.Errors).GroupBy(e => e.Key, e => e.Value).ToArray();
        if (kinds.Length != 0)
            Line(text, $"Errors {when}: {string.Join(", ", kinds.Select(k => $"{k.Sum()} {k.Key}"))}.\n");
    }

    private static void AppendConnections(StringBuilder text, BenchReport report)
    {
        (string When, BenchPoint Point)[] rows =
        [
            .. report.Before.Points.Select(p => (report.After is null ? "" : "before", p)),
            .. report.After?.Points.Select(p => ("after", p)) ?? [],
        ];
        rows = [.. rows.Where(r => r.Point.Rounds.Any(round => round.Connect.Count != 0)).OrderBy(r => r.Point.Concurrency)];
        if (rows.Length == 0)
            return;
        Line(text, "Connection times, of each last round:\n\n| at a time | | min | mean | deviation | median | p99 | max | |\n|---:|---|---:|---:|---:|---:|---:|---:|---|");
        foreach ((string when, BenchPoint point) in rows)
        {
            LatencyFacts c = point.Rounds[^1].Connect;
            string times = string.Join(" | ", new[] { c.Minimum, c.Mean, c.StandardDeviation, c.Median, c.P99, c.Maximum }.Select(BenchTable.Time));
            Line(text, $"| {point.Concurrency} | {when} | {times} | {BenchTable.Reliability(c)} |");
        }

        Line(text, "");
    }

    private static string RowOf(ComparedFigure row) =>
        $"| {row.Concurrency} | {row.Figure} | {BenchTable.Digits(row.Before)} | {BenchTable.Digits(row.After)} "
        + $"| {BenchTable.Percent(row.ChangePercent)} | {BenchTable.Interval(row)} | {BenchTable.Words(row.Verdict)} |";

    private static void AppendListeners(StringBuilder text, BenchReport report)
    {
        Line(text, "## Listen queues\n\n| | listens on | sockets | most that waited (Recv-Q) | backlog (Send-Q) |\n|---|---|---:|---:|---:|");
        AppendListeners(text, report.Before, report.After is null ? "" : "before");
        if (report.After is not null)
            AppendListeners(text, report.After, "after");
        Line(text, "");
        foreach ((BenchResult result, string when) in Both(report))
        {
            HostRecord host = result.HostRecord!;
            string overflows = host.Overflows is { } count ? $"+{count}; TcpExtListenDrops: +{host.Drops}" : "the kernel does not tell";
            Line(text, $"TcpExtListenOverflows {when}: {overflows}.\n");
        }
    }

    private static void AppendListeners(StringBuilder text, BenchResult result, string when)
    {
        HostRecord host = result.HostRecord!;
        foreach (ListenerUse use in host.Listeners)
            Line(text, $"| {when} | {use.Local} | {use.Sockets} | {use.MostWaiting} | {use.Backlog} |");
        if (host.Listeners.Count == 0)
            Line(text, $"| {when} | {host.Problem ?? "none of this host (the target is elsewhere), and no queue was used"} | | | |");
    }

    private static void AppendHost(StringBuilder text, BenchReport report)
    {
        HostIdentity host = report.Before.HostRecord!.Before.Host;
        Line(text, "## The host\n");
        Line(text, string.Create(
            CultureInfo.InvariantCulture,
            $"{host.Name}: {host.Processors} processors ({host.Processor ?? "unknown"}), "
            + $"{(host.MemoryBytes is { } bytes ? ByteSize.Format(bytes) : "unknown memory")}, {host.System}, kernel {host.Kernel}, "
            + $"interface {host.Interface ?? "unknown"}, tunnelctl {host.Version}.\n"));
        foreach ((BenchResult result, string when) in Both(report))
            AppendSnapshots(text, result.HostRecord!, when);
    }

    /// <summary>From the snapshot before a bench to the one after it.</summary>
    private static void AppendSnapshots(StringBuilder text, HostRecord host, string when)
    {
        SnapshotDiff diff = SnapshotDiff.Of(host.Before, host.After);
        Line(text, string.Create(CultureInfo.InvariantCulture, $"Snapshots around the bench {when}: {diff.Before.Time:u} and {diff.After.Time:u}.\n"));
        Line(text, "| | at its start | at its end |\n|---|---|---|");
        foreach (string name in new[] { "cpu.load", "cpu.steal", "listen.queues", "listen.overflows", "softnet.dropped", "softnet.squeezed", "nic.drops" })
        {
            if (host.Before.Findings.GetValueOrDefault(name) is { } a && host.After.Findings.GetValueOrDefault(name) is { } b)
                Line(text, $"| {name} | {a.Is} | {b.Is} |");
        }

        Line(text, "");
        string[] settings = [.. diff.Settings.Select(c => $"`{c.Name}` {c.Before ?? "-"} -> {c.After ?? "-"}")];
        Line(text, settings.Length == 0 ? "No setting changed during it.\n" : $"Settings that changed during it: {string.Join(", ", settings)}.\n");
        string[] counters = [.. (diff.Counters ?? []).Where(c => TellingCounters.Any(t => c.Name.StartsWith(t, StringComparison.Ordinal))).Select(c => $"{c.Name} +{c.Grown}")];
        Line(text, counters.Length == 0 ? "" : $"Counted between the two: {string.Join(", ", counters)}.\n");
    }

    private static IEnumerable<(BenchResult Result, string When)> Both(BenchReport report) =>
        report.After is null ? [(report.Before, "meanwhile")] : [(report.Before, "before"), (report.After, "after")];

    private static string Low(TuningProfile profile) => profile.ToString().ToLowerInvariant();

    private static void Line(StringBuilder text, string line) => text.Append(line).Append('\n');
}
