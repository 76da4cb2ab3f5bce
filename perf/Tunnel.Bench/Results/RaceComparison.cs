using System.Globalization;
using System.Text;
using Tunnel.Bench.Contenders;
using Tunnel.Bench.Loads;
using Tunnel.Ctl.Bench;

namespace Tunnel.Bench.Results;

/// <summary>What changed between two races, for our own contenders, and whether it is more than laps of the same thing differ by.</summary>
internal static class RaceComparison
{
    public static string Write(RaceSummary before, RaceSummary after)
    {
        var text = new StringBuilder();
        if (before.Host != after.Host || before.Seconds != after.Seconds)
            text.AppendLine("Not the same machine or laps: the changes below are of little worth.\n");
        text.AppendLine(CultureInfo.InvariantCulture, $"{before.Commit} ({before.Started:yyyy-MM-dd}) and {after.Commit} ({after.Started:yyyy-MM-dd}); medians (least to most).\n");
        text.AppendLine("| cable | workload | contender | figure | before | after | change | so |");
        text.AppendLine("|---|---|---|---|---:|---:|---:|---|");
        int compared = 0;
        foreach (LaneSummary lane in after.Lanes.Where(l => l.Kind == ContenderKind.Ours))
        {
            RaceLoad? load = RaceLoad.All.FirstOrDefault(l => l.Name == lane.Load);
            if (load is null || before.Find(lane) is not { } was)
                continue;
            foreach (RaceFigure figure in load.Figures)
                compared += Append(text, was, lane, figure) ? 1 : 0;
        }

        return compared == 0 ? throw new BenchException("the two have no lane of ours in common") : text.ToString();
    }

    private static bool Append(StringBuilder text, LaneSummary before, LaneSummary after, RaceFigure figure)
    {
        double[] b = before.ValuesOf(figure), a = after.ValuesOf(figure);
        if (b.Length == 0 || a.Length == 0)
            return false;
        double from = Statistics.Median(b), to = Statistics.Median(a);
        string verdict = BenchTable.Words(ComparedFigure.Judge(figure.MoreIsBetter, Statistics.DifferenceOfMeans(b, a)));
        text.AppendLine(
            $"| {after.Cable} | {after.Load} | {after.Contender} | {figure.Name} | {RaceTable.Cell(b)} | {RaceTable.Cell(a)} | "
            + $"{BenchTable.Percent(from == 0 ? null : to / from - 1)} | {verdict} |");
        return true;
    }
}
