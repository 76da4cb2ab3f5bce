using System.Globalization;
using System.Text;
using Tunnel.Bench.Cables;
using Tunnel.Bench.Contenders;
using Tunnel.Bench.Loads;
using Tunnel.Ctl.Bench;

namespace Tunnel.Bench.Results;

/// <summary>A race in Markdown: medians, the range of the laps, how ours stand to the best of the others, and what was aimed at.</summary>
internal static class RaceTable
{
    public static string Write(RaceResult race)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{race.Host.Processor}, {race.Host.Processors} processors, {race.Host.System}; commit {race.Commit}, "
            + $"{race.Started:yyyy-MM-dd}; two namespaces; medians (least to most) of laps of {race.Seconds} s.");
        foreach (string cable in race.Lanes.Select(l => l.Cable).Distinct())
        {
            text.AppendLine().AppendLine($"## {cable}");
            foreach (RaceLoad load in RaceLoad.All)
                Append(text, race, cable, load);
        }

        TargetTable.Append(text, race);
        return text.ToString();
    }

    /// <summary>The median, and the range where there is one.</summary>
    public static string Cell(double[] values) => values.Length switch
    {
        0 => "",
        1 => BenchTable.Digits(values[0]),
        _ => $"{BenchTable.Digits(Statistics.Median(values))} ({BenchTable.Digits(values.Min())} to {BenchTable.Digits(values.Max())})",
    };

    private static void Append(StringBuilder text, RaceResult race, string cable, RaceLoad load)
    {
        LaneResult[] lanes = [.. race.Over(cable, load)];
        if (lanes.Length == 0)
            return;
        RaceFigure[] figures = [.. load.Figures.Where(f => lanes.Any(l => l.ValuesOf(f).Length != 0))];
        text.AppendLine();
        text.Append("| ").Append(load.Name);
        foreach (RaceFigure figure in figures)
            text.Append(" | ").Append(figure.Name);
        text.AppendLine(" | to the best peer | again, drops | errors |");
        text.Append("|---");
        text.Append(string.Concat(Enumerable.Repeat("|---:", figures.Length + 3))).AppendLine("|");
        double? best = BestPeer(lanes, load.Figures[0]);
        foreach (LaneResult lane in lanes)
            Append(text, lane, load.Figures[0], figures, best);
        AppendMissed(text, lanes);
    }

    private static void Append(StringBuilder text, LaneResult lane, RaceFigure ranked, RaceFigure[] figures, double? best)
    {
        text.Append("| ").Append(lane.Contender);
        foreach (RaceFigure figure in figures)
            text.Append(" | ").Append(Cell(lane.ValuesOf(figure)));
        bool compares = lane.Kind == ContenderKind.Ours && best is > 0;
        string ratio = compares && lane.MedianOf(ranked) is { } value ? $"{BenchTable.Digits(value / best!.Value)} x" : "";
        long errors = lane.Laps.Sum(l => l.Result?.ErrorCount ?? 0), failed = lane.Laps.Count(l => l.Result is null);
        text.AppendLine(CultureInfo.InvariantCulture, $" | {ratio} | {LossesOf(lane)} | {errors}{(failed == 0 ? "" : $", {failed} laps failed")} |");
    }

    private static void AppendMissed(StringBuilder text, LaneResult[] lanes)
    {
        CableUse[] uses = [.. lanes.SelectMany(l => l.Laps).Select(l => l.Cable).OfType<CableUse>()];
        if (uses.Sum(u => u.Missed) is var missed and not 0)
            text.AppendLine(CultureInfo.InvariantCulture, $"\nThe emulator was too slow for {missed} of {uses.Sum(u => u.Delivered) + missed} packets.");
    }

    private static string LossesOf(LaneResult lane)
    {
        Losses[] known = [.. lane.Laps.Select(l => l.Losses).OfType<Losses>()];
        return known.Length == 0 ? "" : $"{known.Sum(l => l.Retransmissions)}, {known.Sum(l => l.KernelDrops)}";
    }

    /// <summary>The best median among peers.</summary>
    private static double? BestPeer(LaneResult[] lanes, RaceFigure figure)
    {
        double[] medians = [.. lanes.Where(l => l.Kind == ContenderKind.Peer).Select(l => l.MedianOf(figure)).OfType<double>()];
        return medians.Length == 0 ? null : figure.MoreIsBetter ? medians.Max() : medians.Min();
    }
}
