using Spectre.Console;

namespace Tunnel.Ctl.Check;

/// <summary>A report for people: a table for each topic, then the commands, each on a line of its own so that it can be copied.</summary>
internal static class CheckTable
{
    public static void Print(IAnsiConsole console, TextWriter plain, CheckReport report)
    {
        // One width for all the tables, so that they stand below each other.
        int names = report.Findings.Select(f => f.Name.Length).DefaultIfEmpty(10).Max();
        foreach (FindingGroup group in report.Groups)
        {
            console.WriteLine();
            console.MarkupLine($"[bold]{Markup.Escape(group.Title)}[/]");
            console.Write(TableOf(group, names));
        }

        PrintCommands(plain, report);
        PrintSummary(console, report);
    }

    private static Table TableOf(FindingGroup group, int names)
    {
        Table table = new Table().Border(TableBorder.None).HideHeaders()
            .AddColumn(new TableColumn("").Width(8).NoWrap())
            .AddColumn(new TableColumn("").Width(names).NoWrap())
            .AddColumn(new TableColumn(""));
        foreach (Finding finding in group.Findings)
            table.AddRow(new Markup(MarkOf(finding.Verdict)), new Text(finding.Name), new Markup(Describe(finding)));
        return table;
    }

    private static string Describe(Finding finding)
    {
        string text = Markup.Escape(finding.Is);
        if (finding.Should.Length > 0 && finding.Verdict is Verdict.Advice or Verdict.Broken)
            text += $" [dim]→[/] [bold]{Markup.Escape(finding.Should)}[/]";
        return $"{text} [dim]({Markup.Escape(finding.Why)})[/]";
    }

    private static string MarkOf(Verdict verdict) => verdict switch
    {
        Verdict.Good => "[green]good[/]",
        Verdict.Advice => "[yellow]advice[/]",
        Verdict.Broken => "[red bold]broken[/]",
        _ => "[dim]unknown[/]",
    };

    private static void PrintCommands(TextWriter plain, CheckReport report)
    {
        Finding[] todo = [.. report.Findings.Where(f => f.Command is not null)];
        if (todo.Length == 0)
            return;
        plain.WriteLine();
        plain.WriteLine("To change it, as root:");
        foreach (Finding finding in todo)
            plain.WriteLine($"  {finding.Command}");
    }

    private static void PrintSummary(IAnsiConsole console, CheckReport report)
    {
        console.WriteLine();
        console.WriteLine(
            $"for {report.Context.Profile.ToString().ToLowerInvariant()}: {report.Count(Verdict.Good)} good, {report.Count(Verdict.Advice)} advice, "
            + $"{report.Count(Verdict.Broken)} broken, {report.Count(Verdict.Unknown)} unknown");
    }
}
