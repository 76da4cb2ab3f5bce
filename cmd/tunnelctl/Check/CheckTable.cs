using Spectre.Console;

namespace Tunnel.Ctl.Check;

/// <summary>A report for people: a table for each topic, then the commands, each on a line of its own so that it can be copied.</summary>
internal static class CheckTable
{
    private const int WideEnough = 140;
    private const int MarkWidth = 8;

    public static void Print(IAnsiConsole console, TextWriter plain, CheckReport report)
    {
        // One width for all the tables, so that they stand below each other.
        int names = report.Findings.Select(f => f.Name.Length).DefaultIfEmpty(10).Max();
        foreach ((int index, FindingGroup group) in report.Groups.Index())
        {
            if (console.Profile.Width >= Terminal.Unfolded)
            {
                PrintLines(plain, group, names);
                continue;
            }

            console.WriteLine();
            console.MarkupLine($"[bold]{Markup.Escape(group.Title)}[/]");
            Table table = TableOf(group, names, console.Profile.Width);
            // Once is enough: all have the same columns.
            table.ShowHeaders = index == 0 && console.Profile.Width >= WideEnough;
            console.Write(table);
        }

        PrintCommands(plain, report);
        PrintSummary(console, report);
    }

    /// <summary>A line a finding, however long: for whoever looks for one of them.</summary>
    private static void PrintLines(TextWriter plain, FindingGroup group, int names)
    {
        plain.WriteLine($"\n{group.Title}");
        foreach (Finding f in group.Findings)
            plain.WriteLine($"{WordOf(f.Verdict),-MarkWidth} {f.Name.PadRight(names)} {Markup.Remove(Describe(f)).ReplaceLineEndings("; ")}");
    }

    private static Table TableOf(FindingGroup group, int names, int width)
    {
        bool wide = width >= WideEnough;
        Table table = new Table().Border(TableBorder.None)
            .AddColumn(new TableColumn("").Width(MarkWidth).NoWrap())
            .AddColumn(new TableColumn("").Width(names).NoWrap());
        int rest = width - MarkWidth - names - 5;
        if (wide)
            table.AddColumn(Head("is").Width(rest * 4 / 10)).AddColumn(Head("should be").Width(rest * 2 / 10));
        table.AddColumn(Head("why").Width(wide ? rest * 4 / 10 : rest));
        foreach (Finding f in group.Findings)
        {
            if (wide)
                table.AddRow(new Markup(MarkOf(f.Verdict)), new Text(f.Name), new Text(f.Is), new Text(f.Should), new Markup($"[dim]{Markup.Escape(f.Why)}[/]"));
            else
                table.AddRow(new Markup(MarkOf(f.Verdict)), new Text(f.Name), new Markup(Describe(f)));
        }

        return table;
    }

    private static TableColumn Head(string text) => new($"[dim]{text}[/]");

    /// <summary>All in one column, where there is no room for three.</summary>
    private static string Describe(Finding finding)
    {
        string should = finding.Should.Length == 0 ? "" : $"; should be: {finding.Should}";
        return $"{Markup.Escape(finding.Is)}[bold]{Markup.Escape(should)}[/] [dim]({Markup.Escape(finding.Why)})[/]";
    }

    private static string MarkOf(FindingVerdict verdict) => verdict switch
    {
        FindingVerdict.Good => $"[green]{WordOf(verdict)}[/]",
        FindingVerdict.Advice => $"[yellow]{WordOf(verdict)}[/]",
        FindingVerdict.Broken => $"[red bold]{WordOf(verdict)}[/]",
        _ => $"[dim]{WordOf(verdict)}[/]",
    };

    private static string WordOf(FindingVerdict verdict) => JsonText.Word(verdict);

    private static void PrintCommands(TextWriter plain, CheckReport report)
    {
        Finding[] todo = [.. report.Findings.Where(f => f.Command is not null)];
        if (todo.Length == 0)
            return;
        plain.WriteLine();
        plain.WriteLine("Commands, as root:");
        foreach (Finding finding in todo)
            plain.WriteLine($"  {finding.Command}  # {finding.Name}");
    }

    private static void PrintSummary(IAnsiConsole console, CheckReport report)
    {
        console.WriteLine();
        console.WriteLine(
            $"for {report.Context.Profile.ToString().ToLowerInvariant()}: {report.Count(FindingVerdict.Good)} good, {report.Count(FindingVerdict.Advice)} advice, "
            + $"{report.Count(FindingVerdict.Broken)} broken, {report.Count(FindingVerdict.Unknown)} unknown");
    }
}
