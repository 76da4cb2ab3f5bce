using System.Globalization;
using System.Net;
using System.Text;
using Tunnel.Bench.Cables;
using Tunnel.Bench.Loads;
using Tunnel.Ctl.Bench;

namespace Tunnel.Bench.Results;

/// <summary>
/// A race as a picture: a panel for each workload on the plain cable and for throughput over the lossy ones, bars of the medians with the
/// laps' range, ours in one family of colours and the others in greys.
/// </summary>
internal static class RaceChart
{
    private const int Columns = 2;
    private const int PanelWidth = 430;
    private const int LabelWidth = 138;
    private const int ValueWidth = 62;
    private const int BarHeight = 13;
    private const int RowHeight = 19;
    private const int TitleHeight = 42;
    private const int Gap = 20;
    private const int Margin = 18;

    /// <summary>Links differ in shade.</summary>
    private static readonly (string Part, string Shade)[] Shades = [("pcap", "ours3"), ("udp", "ours2"), ("", "ours1")];

    private static readonly string[] Emulated = ["bulk down", "echo"];

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

        int width = 2 * Margin + Columns * PanelWidth + (Columns - 1) * Gap, height = Math.Max(bottoms.Max(), 2 * Margin);
        return $$"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{width}} {{height}}" width="{{width}}" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="11">
            <title>The tunnel and others, side by side</title>
            <style>
            .p { fill: #fff } .t { fill: #1b1f24; font-weight: 600; font-size: 13px } .u { fill: #59636e } .l, .v { fill: #333b44 } .o { fill: #0b5c51; font-weight: 600 }
            .ours1 { fill: #0f7b6c } .ours2 { fill: #3fa392 } .ours3 { fill: #83c5b9 } .peer { fill: #808b96 } .other { fill: #adb6bf } .none { fill: #d8dde2 }
            .w { stroke: #1b1f24; stroke-width: 1; fill: none } .g { stroke: #d8dde2; stroke-width: 1 }
            @media (prefers-color-scheme: dark) {
            .p { fill: #0d1117 } .t { fill: #e8ecf0 } .u { fill: #94a0ac } .l, .v { fill: #c4ccd4 } .o { fill: #5fd3bf }
            .ours1 { fill: #35b8a2 } .ours2 { fill: #278a7a } .ours3 { fill: #1e6a5e } .peer { fill: #8892a0 } .other { fill: #5f6974 } .none { fill: #3b434c }
            .w { stroke: #f0f3f6 } .g { stroke: #3b434c }
            }
            </style>
            <rect class="p" width="100%" height="100%"/>
            {{body}}</svg>

            """;
    }

    private static IEnumerable<Panel> PanelsOf(RaceResult race)
    {
        foreach (string cable in race.Lanes.Select(l => l.Cable).Distinct().Where(c => c != Cable.NoOffloads.Name))
        {
            foreach (RaceLoad load in RaceLoad.All.Where(l => cable == Cable.Veth.Name || Emulated.Contains(l.Name)))
            {
                // Processor time is what all the rest follows from.
                RaceFigure[] figures = cable == Cable.Veth.Name && load.Name == "bulk down" ? [load.Figures[0], RaceFigure.Processor] : [load.Figures[0]];
                foreach (RaceFigure figure in figures)
                {
                    if (Panel.Of(race, cable, load, figure) is { Bars.Length: not 0 } panel)
                        yield return panel;
                }
            }
        }
    }

    private static void Append(StringBuilder body, Panel panel, int left, int top)
    {
        Line(body, $"<text class=\"t\" x=\"{left}\" y=\"{top + 13}\">{Text(panel.Title)}</text>");
        Line(body, $"<text class=\"u\" x=\"{left}\" y=\"{top + 29}\">{Text(panel.Unit)}</text>");
        double most = Math.Max(panel.Bars.Max(b => b.Most), double.Epsilon);
        double scale = (PanelWidth - LabelWidth - ValueWidth) / most;
        int x = left + LabelWidth, y = top + TitleHeight;
        Line(body, $"<line class=\"g\" x1=\"{x}\" x2=\"{x}\" y1=\"{y - 3}\" y2=\"{y + panel.Bars.Length * RowHeight - 3}\"/>");
        foreach (Bar bar in panel.Bars)
        {
            Append(body, bar, x, y, scale);
            y += RowHeight;
        }
    }

    private static void Append(StringBuilder body, Bar bar, int x, int y, double scale)
    {
        string label = bar.Shade.StartsWith("ours", StringComparison.Ordinal) ? "o" : "l";
        Line(body, $"<text class=\"{label}\" x=\"{x - 6}\" y=\"{y + 10}\" text-anchor=\"end\">{Text(bar.Name)}</text>");
        double width = Math.Max(1, bar.Median * scale), least = x + bar.Least * scale, most = x + bar.Most * scale, middle = y + BarHeight / 2.0;
        Line(body, $"<rect class=\"{bar.Shade}\" x=\"{x}\" y=\"{y}\" width=\"{Number(width)}\" height=\"{BarHeight}\" rx=\"1.5\"/>");
        if (most - least >= 1)
        {
            Line(body, $"<path class=\"w\" d=\"M{Number(least)} {y + 4}V{y + BarHeight - 4}M{Number(most)} {y + 4}V{y + BarHeight - 4}"
                + $"M{Number(least)} {Number(middle)}H{Number(most)}\"/>");
        }

        Line(body, $"<text class=\"v\" x=\"{Number(Math.Max(x + width, most) + 5)}\" y=\"{y + 10}\">{BenchTable.Digits(bar.Median)}</text>");
    }

    private static string Number(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private static void Line(StringBuilder body, string line) => body.Append(line).Append('\n');

    private sealed record Panel(string Title, string Unit, Bar[] Bars)
    {
        public static Panel Of(RaceResult race, string cable, RaceLoad load, RaceFigure figure)
        {
            string title = cable == Cable.Veth.Name ? load.Name : $"{load.Name}; {cable}";
            IEnumerable<Bar> bars = race.Over(cable, load).Select(l => (Lane: l, Values: l.ValuesOf(figure)))
                .Where(l => l.Values.Length != 0)
                .Select(l => new Bar(l.Lane.Contender, ShadeOf(l.Lane), Statistics.Median(l.Values), Math.Max(0, l.Values.Min()), l.Values.Max()));
            return new Panel(
                title,
                $"{figure.Name}, {(figure.MoreIsBetter ? "more" : "less")} is better",
                [.. bars.OrderBy(b => figure.MoreIsBetter ? -b.Median : b.Median)]);
        }

        private static string ShadeOf(LaneResult lane) => lane.Kind == Contenders.ContenderKind.Ours
            ? Shades.First(s => lane.Contender.Contains(s.Part, StringComparison.Ordinal)).Shade
            : lane.Kind.ToString().ToLowerInvariant();
    }

    private sealed record Bar(string Name, string Shade, double Median, double Least, double Most);
}
