using System.Globalization;
using System.Net;
using System.Text;
using Tunnel.Bench.Cables;
using Tunnel.Bench.Loads;
using Tunnel.Ctl.Bench;

namespace Tunnel.Bench.Results;

/// <summary>
/// A race as a picture: a panel for each workload, bars of the medians with the laps' range, ours in one family of colours and the others in
/// greys. What no tunnel reaches may be longer than all the rest together: its bar is cut then.
/// </summary>
internal static class RaceChart
{
    private const int Columns = 2;
    private const int PanelWidth = 430;
    private const int LabelWidth = 150;
    private const int ValueWidth = 62;
    private const int BarHeight = 13;
    private const int RowHeight = 19;
    private const int TitleHeight = 42;
    private const int Gap = 20;
    private const int Margin = 18;
    private const int FooterHeight = 24;

    private const int LongestBar = PanelWidth - LabelWidth - ValueWidth;
    private const string NoTunnel = "none";
    private const string Fonts = "system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif";

    /// <summary>Links differ in shade.</summary>
    private static readonly (string Part, string Shade)[] Shades = [("pcap", "ours3"), ("udp", "ours2"), ("", "ours1")];

    /// <summary>What is shown of the plain cable.</summary>
    private static readonly (string Load, RaceFigure Figure)[] Plain =
    [
        ("bulk down", RaceFigure.Throughput), ("bulk down", RaceFigure.Processor), ("bulk up", RaceFigure.Throughput),
        ("bulk down, 8", RaceFigure.Throughput), ("echo", RaceFigure.P50), ("echo", RaceFigure.P99), ("echo, 50", RaceFigure.Rate),
        ("connect", RaceFigure.Rate), ("http, 50", RaceFigure.Rate), ("hold 10000", RaceFigure.MemoryEach(10_000)),
        ("idle, 100 sessions", RaceFigure.CorePart),
    ];

    /// <summary>And of the emulated ones.</summary>
    private static readonly (string Load, RaceFigure Figure)[] Emulated = [("bulk down", RaceFigure.Throughput), ("echo", RaceFigure.P99)];

    /// <summary>What being watched costs is a matter of tables.</summary>
    private static readonly string[] Unshown = ["[debug]"];

    public static string Write(RaceResult race)
    {
        Panel[] panels = [.. PanelsOf(race)];
        var body = new StringBuilder();
        int[] bottoms = new int[Columns];
        Array.Fill(bottoms, Margin);
        foreach (Panel panel in panels)
        {
            // Into the shorter column.
            int column = Array.IndexOf(bottoms, bottoms.Min());
            Append(body, panel, Margin + column * (PanelWidth + Gap), bottoms[column]);
            bottoms[column] += TitleHeight + panel.Bars.Length * RowHeight + Gap;
        }

        int width = 2 * Margin + Columns * PanelWidth + (Columns - 1) * Gap, height = bottoms.Max() + FooterHeight;
        Line(body, $"<text class=\"u\" x=\"{Margin}\" y=\"{height - Margin}\">{Text(FooterOf(race))}</text>");
        return $$"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{width}} {{height}}" width="{{width}}" font-family="{{Fonts}}" font-size="11">
            <title>The tunnel and others, side by side</title>
            <style>
            .p { fill: #fff } .t { fill: #1b1f24; font-weight: 600; font-size: 13px } .u { fill: #59636e } .l, .v { fill: #333b44 } .o { fill: #0b5c51; font-weight: 600 }
            .ours1 { fill: #0f7b6c } .ours2 { fill: #3fa392 } .ours3 { fill: #83c5b9 } .peer { fill: #808b96 } .other { fill: #adb6bf } .none { fill: #d8dde2 }
            .w { stroke: #1b1f24; stroke-width: 1; fill: none } .c { stroke: #fff; stroke-width: 3 } .g { stroke: #d8dde2; stroke-width: 1 }
            @media (prefers-color-scheme: dark) {
            .p { fill: #0d1117 } .t { fill: #e8ecf0 } .u { fill: #94a0ac } .l, .v { fill: #c4ccd4 } .o { fill: #5fd3bf }
            .ours1 { fill: #35b8a2 } .ours2 { fill: #278a7a } .ours3 { fill: #1e6a5e } .peer { fill: #8892a0 } .other { fill: #5f6974 } .none { fill: #3b434c }
            .w { stroke: #f0f3f6 } .c { stroke: #0d1117 } .g { stroke: #3b434c }
            }
            </style>
            <rect class="p" width="100%" height="100%"/>
            {{body}}</svg>

            """;
    }

    private static IEnumerable<Panel> PanelsOf(RaceResult race) =>
        from cable in race.Lanes.Select(l => l.Cable).Distinct()
        where cable != Cable.NoOffloads.Name
        from shown in cable == Cable.Veth.Name ? Plain : Emulated
        let panel = Panel.Of(race, cable, RaceLoad.All.First(l => l.Name == shown.Load), shown.Figure)
        where panel.Bars.Length != 0
        select panel;

    private static string FooterOf(RaceResult race) => string.Create(
        CultureInfo.InvariantCulture,
        $"{race.Host.Processor}, {race.Host.Processors} processors shared by both ends and the load; medians and range of laps of {race.Seconds} s; {race.Started:yyyy-MM-dd}");

    private static void Append(StringBuilder body, Panel panel, int left, int top)
    {
        Line(body, $"<text class=\"t\" x=\"{left}\" y=\"{top + 13}\">{Text(panel.Title)}</text>");
        Line(body, $"<text class=\"u\" x=\"{left}\" y=\"{top + 29}\">{Text(panel.Unit)}</text>");
        double scale = LongestBar / Math.Max(LongestOf(panel.Bars), double.Epsilon);
        int x = left + LabelWidth, y = top + TitleHeight;
        Line(body, $"<line class=\"g\" x1=\"{x}\" x2=\"{x}\" y1=\"{y - 3}\" y2=\"{y + panel.Bars.Length * RowHeight - 3}\"/>");
        foreach (Bar bar in panel.Bars)
        {
            Append(body, bar, x, y, scale);
            y += RowHeight;
        }
    }

    /// <summary>What the panel's width is for: everything, unless no tunnel is so far ahead that the others would be hard to tell apart.</summary>
    private static double LongestOf(Bar[] bars)
    {
        double all = bars.Max(b => b.Most), tunnels = bars.Where(b => b.Shade != NoTunnel).Select(b => b.Most).DefaultIfEmpty(all).Max();
        return all <= 2 * tunnels ? all : tunnels;
    }

    private static void Append(StringBuilder body, Bar bar, int x, int y, double scale)
    {
        string label = bar.Shade.StartsWith("ours", StringComparison.Ordinal) ? "o" : "l";
        Line(body, $"<text class=\"{label}\" x=\"{x - 6}\" y=\"{y + 10}\" text-anchor=\"end\">{Text(bar.Name)}</text>");
        double width = Math.Clamp(bar.Median * scale, 1, LongestBar), end = x + width;
        Line(body, $"<rect class=\"{bar.Shade}\" x=\"{x}\" y=\"{y}\" width=\"{Number(width)}\" height=\"{BarHeight}\" rx=\"1.5\"/>");
        if (bar.Median * scale > LongestBar)
            Line(body, $"<path class=\"c\" d=\"M{x + LongestBar * 2 / 3} {y + BarHeight + 2}l8 {-BarHeight - 4}\"/>");
        else
            end = Math.Max(end, AppendRange(body, bar, x, y, scale));
        Line(body, $"<text class=\"v\" x=\"{Number(end + 5)}\" y=\"{y + 10}\">{BenchTable.Digits(bar.Median)}</text>");
    }

    /// <summary>From the least lap to the most.</summary>
    /// <returns>Where it ends.</returns>
    private static double AppendRange(StringBuilder body, Bar bar, int x, int y, double scale)
    {
        double least = x + bar.Least * scale, most = x + Math.Min(bar.Most * scale, LongestBar), middle = y + BarHeight / 2.0;
        if (most - least >= 1)
        {
            Line(body, $"<path class=\"w\" d=\"M{Number(least)} {y + 4}V{y + BarHeight - 4}M{Number(most)} {y + 4}V{y + BarHeight - 4}"
                + $"M{Number(least)} {Number(middle)}H{Number(most)}\"/>");
        }

        return most;
    }

    private static string Number(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private static void Line(StringBuilder body, string line) => body.Append(line).Append('\n');

    private sealed record Panel(string Title, string Unit, Bar[] Bars)
    {
        public static Panel Of(RaceResult race, string cable, RaceLoad load, RaceFigure figure)
        {
            IEnumerable<Bar> bars = race.Over(cable, load).Select(l => (Lane: l, Values: l.ValuesOf(figure)))
                .Where(l => l.Values.Length != 0 && !Unshown.Any(u => l.Lane.Contender.Contains(u, StringComparison.Ordinal)))
                .Select(l => new Bar(l.Lane.Contender, ShadeOf(l.Lane), Statistics.Median(l.Values), Math.Max(0, l.Values.Min()), l.Values.Max()));
            string unit = $"{figure.Name}, {(figure.MoreIsBetter ? "more" : "less")} is better";
            return new Panel(
                load.Title,
                cable == Cable.Veth.Name ? unit : $"{unit}; {cable}",
                [.. bars.OrderBy(b => figure.MoreIsBetter ? -b.Median : b.Median)]);
        }

        private static string ShadeOf(LaneResult lane) => lane.Kind == Contenders.ContenderKind.Ours
            ? Shades.First(s => lane.Contender.Contains(s.Part, StringComparison.Ordinal)).Shade
            : lane.Kind.ToString().ToLowerInvariant();
    }

    private sealed record Bar(string Name, string Shade, double Median, double Least, double Most);
}
