using System.Globalization;
using System.Net;
using System.Text;
using Tunnel.Ctl.Bench;

namespace Tunnel.Bench;

/// <summary>A race as a picture: horizontal bars of each workload's first figure, ours set off from the others.</summary>
internal static class RaceChart
{
    private const int Width = 760;
    private const int LabelWidth = 150;
    private const int ValueWidth = 90;
    private const int BarHeight = 16;
    private const int RowHeight = 22;
    private const int TitleHeight = 34;
    private const int Margin = 16;

    public static string Write(RaceResult race)
    {
        RaceLoad[] loads = [.. RaceLoad.All.Where(l => race.Lanes.Any(lane => lane.Load == l.Name && Median(race, lane, l) is not null))];
        var body = new StringBuilder();
        int y = Margin;
        foreach (RaceLoad load in loads)
            y = Append(body, race, load, y);
        return string.Create(CultureInfo.InvariantCulture, $$"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{Width}} {{y + Margin}}" font-family="system-ui, sans-serif" font-size="12">
            <style>
            .p { fill: #fff } .t { fill: #1b1f24; font-weight: 600; font-size: 13px } .l, .v { fill: #424a53 }
            .ours { fill: #0f7b6c } .peer { fill: #7c8894 } .other, .none { fill: #d5dae0 }
            @media (prefers-color-scheme: dark) {
            .p { fill: #14181d } .t { fill: #e8ecf0 } .l, .v { fill: #aeb8c2 } .ours { fill: #35b8a2 } .peer { fill: #7d8894 } .other, .none { fill: #3d4752 }
            }
            </style>
            <rect class="p" width="100%" height="100%"/>
            {{body}}</svg>

            """);
    }

    private static int Append(StringBuilder body, RaceResult race, RaceLoad load, int top)
    {
        RaceFigure figure = load.Figures[0];
        var bars = race.Lanes.Where(l => l.Load == load.Name)
            .Select(l => (Lane: l, Value: Median(race, l, load)))
            .Where(b => b.Value is not null)
            .Select(b => (b.Lane, Value: b.Value!.Value))
            .OrderBy(b => figure.MoreIsBetter ? -b.Value : b.Value)
            .ToArray();
        double most = Math.Max(bars.Max(b => b.Value), double.Epsilon);
        string better = figure.MoreIsBetter ? "more is better" : "less is better";
        Line(body, $"<text class=\"t\" x=\"{Margin}\" y=\"{top + 20}\">{WebUtility.HtmlEncode(load.Name)}: {figure.Name}, {better}</text>");
        int y = top + TitleHeight;
        foreach ((Lane lane, double value) in bars)
        {
            double width = Math.Max(1, (Width - 2 * Margin - LabelWidth - ValueWidth) * Math.Max(0, value) / most);
            string kind = lane.Kind.ToString().ToLowerInvariant();
            int x = Margin + LabelWidth;
            Line(body, $"<text class=\"l\" x=\"{x - 8}\" y=\"{y + 12}\" text-anchor=\"end\">{WebUtility.HtmlEncode(lane.Contender)}</text>");
            Line(body, string.Create(CultureInfo.InvariantCulture, $"<rect class=\"{kind}\" x=\"{x}\" y=\"{y}\" width=\"{width:0.#}\" height=\"{BarHeight}\" rx=\"2\"/>"));
            Line(body, string.Create(CultureInfo.InvariantCulture, $"<text class=\"v\" x=\"{x + width + 6:0.#}\" y=\"{y + 12}\">{BenchTable.Digits(value)}</text>"));
            y += RowHeight;
        }

        return y + 8;
    }

    private static double? Median(RaceResult race, Lane lane, RaceLoad load)
    {
        double[] values = race.ValuesOf(lane.Contender, load, load.Figures[0]);
        return values.Length == 0 ? null : Statistics.Median(values);
    }

    private static void Line(StringBuilder body, string line) => body.Append(line).Append('\n');
}
