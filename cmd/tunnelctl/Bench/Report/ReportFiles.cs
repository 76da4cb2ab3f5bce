namespace Tunnel.Ctl.Bench.Report;

/// <summary>The note and its picture beside each other.</summary>
internal static class ReportFiles
{
    /// <summary>Writes both; never over what is there.</summary>
    /// <param name="path">The note's; the picture's ends in .svg instead.</param>
    /// <exception cref="BenchException">One is there, or cannot be written.</exception>
    public static IReadOnlyList<string> Write(BenchReport report, string path)
    {
        string chart = Path.ChangeExtension(path, ".svg");
        if (chart == path)
            throw new BenchException($"{path}: the note's name ends in .md, the picture's in .svg");
        Create(path, ReportMarkdown.Write(report, Path.GetFileName(chart)));
        Create(chart, ReportChart.Write(report));
        return [path, chart];
    }

    private static void Create(string path, string text)
    {
        try
        {
            NewFile.Write(path, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new BenchException(File.Exists(path) ? $"{path} is there already and is not written over" : $"{path}: {e.Message}");
        }
    }
}

/// <summary>A report for programs. Schema 2: names are only ever added.</summary>
/// <param name="Knob">What it is about.</param>
/// <param name="Before">Its value; null: there is no such setting here.</param>
/// <param name="After">Its value in the second bench; null with one.</param>
/// <param name="Target">What it should be; null: unknown.</param>
/// <param name="Outcome">What the change came to.</param>
/// <param name="Summary">In words.</param>
/// <param name="RuleOfThumb">In words.</param>
/// <param name="Rows">Each figure; none with one bench.</param>
/// <param name="Files">The note and its picture; none when they were not asked for.</param>
internal sealed record ReportJson(
    string Knob, string? Before, string? After, string? Target, Outcome Outcome, string Summary, string RuleOfThumb, IReadOnlyList<ComparedFigure> Rows,
    IReadOnlyList<string> Files)
{
    public int Schema { get; } = 2;

    public static ReportJson Of(BenchReport report, IReadOnlyList<string> files)
    {
        Interpretation meaning = report.Interpretation;
        return new ReportJson(
            report.Knob.Name,
            BenchReport.ValueOf(report.Before, report.Knob.Name),
            report.After is null ? null : BenchReport.ValueOf(report.After, report.Knob.Name),
            report.Before.HostRecord!.Before.Findings.GetValueOrDefault(report.Knob.Name)?.Should,
            meaning.Outcome,
            meaning.Summary,
            meaning.RuleOfThumb,
            report.Comparison?.Rows ?? [],
            files);
    }
}
