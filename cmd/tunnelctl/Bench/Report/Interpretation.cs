using System.Globalization;
using Tunnel.Ctl.Check.Knobs;

namespace Tunnel.Ctl.Bench.Report;

/// <summary>What the figures mean, in words that hold for them and for no others.</summary>
/// <param name="Outcome">In one word.</param>
/// <param name="Summary">In one or two sentences.</param>
/// <param name="RuleOfThumb">What to keep in mind, with this host's figures in it.</param>
internal sealed record Interpretation(Outcome Outcome, string Summary, string RuleOfThumb)
{
    /// <summary>A difference that is more than noise and less than this is not one that anybody sees.</summary>
    private const double Visible = 0.02;

    /// <summary>By the intervals' 95 %, so many of a hundred figures differ though nothing changed.</summary>
    private const double ByChance = 0.05;

    public static Interpretation Of(BenchReport report)
    {
        ComparedFigure[] judged = [.. report.Comparison?.Rows.Where(r => Figure.IsJudged(r.Figure)) ?? []];
        ComparedFigure[] seen = [.. judged.Where(IsVisible)];
        Outcome outcome = OutcomeOf(report, judged, seen);
        return new Interpretation(outcome, SummaryOf(report, outcome, judged, seen), RuleOf(report, outcome));
    }

    private static Outcome OutcomeOf(BenchReport report, ComparedFigure[] judged, ComparedFigure[] seen)
    {
        if (report.Comparison is null)
            return Outcome.NotCompared;
        if (OverflowsOf(report) is { } overflows && overflows.Before != overflows.After)
            return overflows.Before > overflows.After ? Outcome.Better : Outcome.Worse;
        if (judged.All(r => r.Verdict == Verdict.Unknown))
            return Outcome.Unknown;
        if (WasNeverFull(report))
            return Outcome.NoChange;
        // One odd figure among many is what chance does; an error is not.
        if (seen.Length <= judged.Length * ByChance && !seen.Any(r => r.Figure == Figure.ErrorsName))
            return Outcome.NoChange;
        return (seen.Any(r => r.Verdict == Verdict.Better), seen.Any(r => r.Verdict == Verdict.Worse)) switch
        {
            (true, false) => Outcome.Better,
            (false, true) => Outcome.Worse,
            _ => Outcome.Mixed,
        };
    }

    /// <summary>
    /// Where a queue overflowed, that decides: connections that were lost wait a second and more for another try, and those that got through were
    /// the faster for it. Null where it did not, or the report is about something else.
    /// </summary>
    private static (long Before, long After)? OverflowsOf(BenchReport report)
    {
        if (!BacklogFigures.Concerns(report.Knob) || BacklogFigures.Of(report).Overflows is not ({ } before, { } after))
            return null;
        // What differs by less than half may be chance.
        return Math.Max(before, after) > 0 && Math.Min(before, after) * 2 <= Math.Max(before, after) ? (before, after) : null;
    }

    /// <summary>A limit that nothing ever reached cannot be the reason for what differs.</summary>
    private static bool WasNeverFull(BenchReport report)
    {
        var figures = BacklogFigures.Of(report);
        return report.IsTurned && report.Knob == SysctlKnobs.Somaxconn && figures is { Before: not null, After: not null, Overflows: (0, 0) };
    }

    private static bool IsVisible(ComparedFigure row) =>
        row.Verdict is Verdict.Better or Verdict.Worse && (row.ChangePercent is not { } change || Math.Abs(change) >= 100 * Visible);

    private static string SummaryOf(BenchReport report, Outcome outcome, ComparedFigure[] judged, ComparedFigure[] seen) => outcome switch
    {
        Outcome.Better or Outcome.Worse when OverflowsOf(report) is { } overflows =>
            $"{outcome}: the listen queue overflowed {overflows.Before} times before and {overflows.After} after, and whoever met it full waited a second or more for "
            + $"another try.{(seen.Length == 0 ? "" : $" What got through: {Describe(seen)}.")}",
        Outcome.NotCompared => "Measured once, nothing was changed: this is what to compare with.",
        Outcome.Unknown => "One round each cannot tell a change from noise: measure with --rounds 5.",
        Outcome.NoChange when seen.Length != 0 && WasNeverFull(report) =>
            $"No visible change at these loads that the knob could have made: no queue was ever full, so what differs is the machine's other work ({Describe(seen)}).",
        Outcome.NoChange when seen.Length != 0 =>
            $"No visible change at these loads: {seen.Length} of {judged.Length} figures differs ({Describe(seen[0])}), as many as chance alone makes.",
        Outcome.NoChange => $"No visible change at these loads: none of {judged.Length} figures differs by more than the noise between rounds and 2 %{SensitivityOf(judged)}.",
        Outcome.Better => $"Better, by more than noise: {Describe(seen)}.",
        Outcome.Worse => $"Worse, by more than noise: {Describe(seen)}.",
        _ => $"Mixed: {Describe(seen)}.",
    };

    /// <summary>How large a change these rounds would have shown: half of the interval, of the median figure.</summary>
    private static string SensitivityOf(ComparedFigure[] judged)
    {
        double[] shares = [.. judged.Where(r => r is { Low: not null, High: not null, Before: > 0 }).Select(r => (r.High!.Value - r.Low!.Value) / 2 / r.Before)];
        return shares.Length == 0 ? "" : $" (what these rounds could have shown: about {BenchTable.Digits(100 * Math.Max(Visible, Statistics.Median(shares)))} % and more)";
    }

    private static string Describe(IEnumerable<ComparedFigure> rows) => string.Join("; ", rows.Select(Describe));

    private static string Describe(ComparedFigure row) =>
        $"{row.Figure} at {row.Concurrency} at a time {BenchTable.Digits(row.Before)} -> {BenchTable.Digits(row.After)}"
        + (row.ChangePercent is null ? "" : $" ({BenchTable.Percent(row.ChangePercent)})");

    private static string RuleOf(BenchReport report, Outcome outcome)
    {
        string figures = BacklogFigures.Concerns(report.Knob) ? BacklogFigures.Of(report).Describe() : "";
        string rule = $"On this host, {LoadOf(report)}, {EffectOf(report, outcome)}";
        return figures.Length == 0 ? rule : $"{rule} {figures}";
    }

    private static string LoadOf(BenchReport report)
    {
        int most = report.Before.Points.Max(p => p.Concurrency);
        return string.Create(CultureInfo.InvariantCulture, $"at up to {most} at a time ({report.Before.Load.Workload}, {report.Before.Load.Detail})");
    }

    private static string EffectOf(BenchReport report, Outcome outcome)
    {
        string name = report.Knob.Name, unit = report.Before.Load.Workload;
        if (report.After is null)
            return $"{name} is {BenchReport.ValueOf(report.Before, name) ?? "not there"}; what another value would change was not measured.";
        (string? from, string? to) = (BenchReport.ValueOf(report.Before, name), BenchReport.ValueOf(report.After, name));
        if (from == to)
            return $"{name} was {from ?? "not there"} in both: what differs between the two is what this host does by itself, or another change.";
        string change = $"changing {name} from {from ?? "nothing"} to {to ?? "nothing"}";
        return outcome switch
        {
            Outcome.NoChange => $"{change} does not move {unit}'s figures: it is for other loads than this, not a day-to-day tuner.",
            Outcome.Better => $"{change} helps: keep it (tunnelctl check --apply --only {name} --persist).",
            Outcome.Worse => $"{change} does harm: leave it as it was.",
            Outcome.Mixed => $"{change} helps some figures and harms others: decide by those that matter here, with more rounds.",
            _ => $"{change} was measured once, which tells nothing.",
        };
    }
}
