using System.Globalization;
using System.Text;

namespace Tunnel.Ctl.Bench.Report;

/// <summary>A report as a picture: for each figure and concurrency a bar before and one after, with the rounds' range.</summary>
internal static class ReportChart
{
    private const int Width = 760;
    private const int LabelWidth = 130;
    private const int ValueWidth = 110;
    private const int BarHeight = 13;
    private const int GroupGap = 9;
    private const int TitleHeight = 30;
    private const int Margin = 16;

    public static string Write(BenchReport report)
    {
        var body = new StringBuilder();
        int y = Margin;
        foreach (Figure figure in Figure.Shown(report.Before.Load.Workload))
            y = Append(body, report, figure, y);
        string title = Escape($"{report.Knob.Name}: {report.Before.Load.Workload}");
        return string.Create(CultureInfo.InvariantCulture, $$"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {{Width}} {{y + Margin}}" font-family="system-ui, sans-serif" font-size="12" role="img">
            <title>{{title}}</title>
            <style>
            .p { fill: #fff } .t { fill: #1b1f24; font-weight: 600; font-size: 13px } .l { fill: #424a53 }
            .before { fill: #8a95a1 } .after { fill: #0f7b6c } .r { stroke: #1b1f24; stroke-width: 1 }
            @media (prefers-color-scheme: dark) {
            .p { fill: #14181d } .t { fill: #e8ecf0 } .l { fill: #aeb8c2 } .before { fill: #7d8894 } .after { fill: #35b8a2 } .r { stroke: #e8ecf0 }
            }
            </style>
            <rect class="p" width="100%" height="100%"/>
            {{body}}</svg>

            """);
    }

    private static int Append(StringBuilder body, BenchReport report, Figure figure, int top)
    {
        Bar[] bars = [.. report.Before.Points.SelectMany(point => BarsOf(report, figure, point))];
        double most = Math.Max(bars.Select(b => b.High).DefaultIfEmpty().Max(), double.Epsilon);
        string better = figure.MoreIsBetter ? "more" : "less";
        Line(
            body,
            $"<text class=\"t\" x=\"{Margin}\" y=\"{top + 16}\">{Escape(figure.Name)}, {better} is better; medians, least to most of the rounds</text>");
        int y = top + TitleHeight, concurrency = 0;
        foreach (Bar bar in bars)
        {
            if (bar.Concurrency != concurrency && concurrency != 0)
                y += GroupGap;
            concurrency = bar.Concurrency;
            Append(body, bar, most, y);
            y += BarHeight + 2;
        }

        return y + 12;
    }

    private static void Append(StringBuilder body, Bar bar, double most, int y)
    {
        double scale = (Width - 2 * Margin - LabelWidth - ValueWidth) / most;
        int x = Margin + LabelWidth;
        double width = Math.Max(1, bar.Median * scale), low = x + bar.Low * scale, high = x + Math.Max(bar.High, bar.Median) * scale;
        double middle = y + BarHeight / 2.0;
        Line(body, $"<text class=\"l\" x=\"{x - 8}\" y=\"{y + 11}\" text-anchor=\"end\">{bar.Concurrency} at a time, {bar.When}</text>");
        Line(body, string.Create(CultureInfo.InvariantCulture, $"<rect class=\"{bar.When}\" x=\"{x}\" y=\"{y}\" width=\"{width:0.#}\" height=\"{BarHeight}\" rx=\"2\"/>"));
        Line(body, string.Create(CultureInfo.InvariantCulture, $"<line class=\"r\" x1=\"{low:0.#}\" y1=\"{middle}\" x2=\"{high:0.#}\" y2=\"{middle}\"/>"));
        Line(body, string.Create(CultureInfo.InvariantCulture, $"<text class=\"l\" x=\"{high + 6:0.#}\" y=\"{y + 11}\">{BenchTable.Digits(bar.Median)}</text>"));
    }

    private static IEnumerable<Bar> BarsOf(BenchReport report, Figure figure, BenchPoint before)
    {
        yield return Bar.Of("before", figure, before);
        if (report.After?.Points.FirstOrDefault(p => p.Concurrency == before.Concurrency) is { } after)
            yield return Bar.Of("after", figure, after);
    }

    private static void Line(StringBuilder body, string line) => body.Append(line).Append('\n');

    private static string Escape(string text) => System.Net.WebUtility.HtmlEncode(text);

    private readonly record struct Bar(string When, int Concurrency, double Median, double Low, double High)
    {
        public static Bar Of(string when, Figure figure, BenchPoint point)
        {
            double[] values = [.. point.Rounds.Select(figure.Read)];
            return new Bar(when, point.Concurrency, Statistics.Median(values), values.Min(), values.Max());
        }
    }
}
