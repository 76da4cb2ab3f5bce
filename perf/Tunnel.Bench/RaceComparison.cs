using System.Globalization;
using System.Text;
using Tunnel.Ctl.Bench;

namespace Tunnel.Bench;

/// <summary>What changed between two races, for our own contenders.</summary>
internal static class RaceComparison
{
    public static string Write(RaceResult before, RaceResult after)
    {
        var text = new StringBuilder();
        if (before.Host != after.Host || before.Offloads != after.Offloads)
            text.AppendLine("Not the same machine or cable: the ratios below are of little worth.\n");
        text.AppendLine("| workload | contender | figure | before | after | change | so |");
        text.AppendLine("|---|---|---|---:|---:|---:|---|");
        foreach (RaceLoad load in RaceLoad.All)
        {
            foreach (Lane lane in after.Lanes.Where(l => l.Kind == Contenders.ContenderKind.Ours && l.Load == load.Name))
            {
                foreach (RaceFigure figure in load.Figures)
                    Append(text, before, after, load, lane, figure);
            }
        }

        return text.ToString();
    }

    private static void Append(StringBuilder text, RaceResult before, RaceResult after, RaceLoad load, Lane lane, RaceFigure figure)
    {
        double[] b = before.ValuesOf(lane.Contender, load, figure), a = after.ValuesOf(lane.Contender, load, figure);
        if (b.Length == 0 || a.Length == 0)
            return;
        double from = Statistics.Median(b), to = Statistics.Median(a);
        Verdict verdict = ComparedFigure.Judge(figure.MoreIsBetter, Statistics.DifferenceOfMeans(b, a));
        text.AppendLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {load.Name} | {lane.Contender} | {figure.Name} | {BenchTable.Digits(from)} | {BenchTable.Digits(to)} | "
            + $"{BenchTable.Percent(from == 0 ? null : to / from - 1)} | {BenchTable.Words(verdict)} |"));
    }
}
