using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;
using Tunnel.App.Diagnostics.Status;

namespace Tunnel.Ctl.Top;

/// <summary>A status as text: a head, and a table of sessions.</summary>
internal static class TopView
{
    private const int WideHead = 4;
    private const int NarrowHead = 2;

    /// <summary>The table's own, one before it, and two for the keys.</summary>
    private const int LinesAroundRows = 7;

    /// <summary>From here on a session's loss deserves attention, in percent.</summary>
    private const double MuchLoss = 2;

    private static readonly string[] Steps = ["", "k", "M", "G", "T"];

    /// <summary>What fits: a narrow head is longer, and a narrow table has fewer columns.</summary>
    /// <param name="status">What is shown.</param>
    /// <param name="sort">By what the sessions are sorted.</param>
    /// <param name="width">Characters a line.</param>
    /// <param name="height">Lines, at most.</param>
    public static IRenderable Render(StatusReport status, TopSort sort, int width, int height)
    {
        string[] facts = [.. Facts(status)];
        Grid head = Head(facts, WideHead);
        int lines = facts.Length / WideHead;
        if (head.WidthOn(Terminal.Output) > width)
            (head, lines) = (Head(facts, NarrowHead), facts.Length / NarrowHead);
        return new Rows(head, new Text(""), Sessions(status, sort, width, Math.Max(1, height - lines - LinesAroundRows)));
    }

    private static IEnumerable<string> Facts(StatusReport s) =>
    [
        $"[bold]tunnel {Markup.Escape(s.Role)}[/] {Markup.Escape(s.Version)}",
        s.Ready ? "[green]ready[/]" : $"[red]not ready[/]: {Markup.Escape(s.Unready ?? "")}",
        $"link {Markup.Escape(s.Link ?? "-")}",
        $"up {Age(s.UptimeSeconds)}",
        $"in [bold]{Bits(s.Now.StreamInBytesPerSecond)}[/]",
        $"out [bold]{Bits(s.Now.StreamOutBytesPerSecond)}[/]",
        $"wire {Bits(s.Now.LinkInBytesPerSecond)} in, {Bits(s.Now.LinkOutBytesPerSecond)} out",
        $"rtt {(s.Now.RttMilliseconds is { } rtt ? $"{rtt:0.#} ms" : "-")}",
        $"sessions {s.SessionCount}",
        $"streams {s.StreamCount}",
        $"again {Share(s.Now)} of {s.Now.SegmentsPerSecond:0}/s, drops {s.Now.DropsPerSecond:0}/s",
        $"cpu {s.Now.CpuPercent:0}%, memory {Bytes(s.Now.ResidentBytes)}, gc {s.Now.GcPauseMillisecondsPerSecond:0.#} ms/s",
    ];

    private static Grid Head(string[] facts, int columns)
    {
        Grid grid = new Grid().AddColumns(columns);
        foreach (string[] row in facts.Chunk(columns))
            grid.AddRow(row);
        return grid;
    }

    /// <summary>Without those columns that are missed least, as far as is needed; never without the one that sorts.</summary>
    private static Table Sessions(StatusReport status, TopSort sort, int width, int most)
    {
        SessionReport[] shown = [.. TopColumn.Sorted(status.Sessions, sort).Take(most)];
        List<TopColumn> columns = [.. TopColumn.All];
        Table table = Sessions(shown, sort, columns).Fitted(width);
        foreach (TopSort least in TopColumn.LeastMissed.Where(c => c != sort))
        {
            if (table.WidthOn(Terminal.Output) <= width)
                break;
            columns.RemoveAll(c => c.Sort == least);
            table = Sessions(shown, sort, columns).Fitted(width);
        }

        return table;
    }

    private static Table Sessions(SessionReport[] sessions, TopSort sort, List<TopColumn> columns)
    {
        Table table = new Table().Border(TableBorder.Simple);
        foreach (TopColumn column in columns)
            table.AddColumn(new TableColumn(Title(column, sort)) { Alignment = column.IsText ? Justify.Left : Justify.Right, NoWrap = true });
        foreach (SessionReport session in sessions)
            table.AddRow([.. columns.Select(column => Cell(column, session))]);
        return table;
    }

    private static string Title(TopColumn column, TopSort sort) => column.Sort == sort ? $"[bold]{column.Title}▾[/]" : column.Title;

    private static Markup Cell(TopColumn column, SessionReport session)
    {
        string text = Markup.Escape(column.Show(session));
        return new Markup(column.Sort == TopSort.Loss && session.LossPercent >= MuchLoss ? $"[yellow]{text}[/]" : text);
    }

    public static string Bits(double bytesPerSecond) => Scale(bytesPerSecond * 8, 1000, "bit/s");

    public static string Bytes(double bytes) => Scale(bytes, 1024, bytes >= 999.5 ? "iB" : "B");

    public static string Age(double seconds)
    {
        var age = TimeSpan.FromSeconds(seconds);
        return age.TotalDays >= 1 ? $"{(int)age.TotalDays}d{age.Hours:00}h" : age.TotalHours >= 1 ? $"{age.Hours}h{age.Minutes:00}m" : $"{age.Minutes}m{age.Seconds:00}s";
    }

    private static string Share(RateSample now) => now.SegmentsPerSecond > 0 ? $"{100 * now.RetransmissionsPerSecond / now.SegmentsPerSecond:0.##}%" : "0%";

    private static string Scale(double value, int step, string unit)
    {
        int steps = 0;
        for (; value >= 999.5 && steps < Steps.Length - 1; steps++)
            value /= step;
        string format = steps == 0 || value >= 99.95 ? "0" : value >= 9.995 ? "0.0" : "0.00";
        string prefix = step == 1024 ? Steps[steps].ToUpperInvariant() : Steps[steps];
        return $"{value.ToString(format, CultureInfo.InvariantCulture)} {prefix}{unit}";
    }
}
