using System.Globalization;
using System.Text;
using Tunnel.Bench.Contenders;
using Tunnel.Ctl.Bench;

namespace Tunnel.Bench;

/// <summary>A race in Markdown: medians, the range of the laps, and how ours stand to the best of the others.</summary>
internal static class RaceTable
{
    public static string Write(RaceResult race)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{race.Host.Processor}, {race.Host.Processors} processors, {race.Host.System}; commit {race.Commit}, "
            + $"{race.Started:yyyy-MM-dd}; two namespaces and a veth, offloads {(race.Offloads ? "on" : "off")}; medians (least to most) of laps of {race.Seconds} s.");
        foreach (RaceLoad load in RaceLoad.All)
            Append(text, race, load);
        return text.ToString();
    }

    private static void Append(StringBuilder text, RaceResult race, RaceLoad load)
    {
        Lane[] lanes = [.. race.Lanes.Where(l => l.Load == load.Name)];
        if (lanes.Length == 0)
            return;
        text.AppendLine();
        text.Append("| ").Append(load.Name);
        foreach (RaceFigure figure in load.Figures)
            text.Append(" | ").Append(figure.Name);
        text.AppendLine(" | to the best peer | again, drops | errors |");
        text.Append("|---");
        text.Append(string.Concat(Enumerable.Repeat("|---:", load.Figures.Count + 3))).AppendLine("|");
        double? best = BestPeer(race, load);
        foreach (Lane lane in lanes)
            Append(text, race, load, lane, best);
    }

    private static void Append(StringBuilder text, RaceResult race, RaceLoad load, Lane lane, double? best)
    {
        text.Append("| ").Append(lane.Contender);
        foreach (RaceFigure figure in load.Figures)
            text.Append(" | ").Append(Cell(race.ValuesOf(lane.Contender, load, figure)));
        double[] ranked = race.ValuesOf(lane.Contender, load, load.Figures[0]);
        bool compares = lane.Kind == ContenderKind.Ours && best is > 0 && ranked.Length != 0;
        string ratio = compares ? $"{BenchTable.Digits(Statistics.Median(ranked) / best!.Value)} x" : "";
        long errors = lane.Laps.Sum(l => l.Result?.ErrorCount ?? 0), failed = lane.Laps.Count(l => l.Result is null);
        text.AppendLine(CultureInfo.InvariantCulture, $" | {ratio} | {LossesOf(lane)} | {errors}{(failed == 0 ? "" : $", {failed} laps failed")} |");
    }

    private static string LossesOf(Lane lane)
    {
        Losses[] known = [.. lane.Laps.Select(l => l.Losses).OfType<Losses>()];
        return known.Length == 0 ? "" : $"{known.Sum(l => l.Retransmissions)}, {known.Sum(l => l.KernelDrops)}";
    }

    /// <summary>The best median among peers.</summary>
    private static double? BestPeer(RaceResult race, RaceLoad load)
    {
        double[] medians =
        [
            .. race.Lanes.Where(l => l.Load == load.Name && l.Kind == ContenderKind.Peer)
                .Select(l => race.ValuesOf(l.Contender, load, load.Figures[0]))
                .Where(v => v.Length != 0)
                .Select(v => Statistics.Median(v)),
        ];
        return medians.Length == 0 ? null : load.Figures[0].MoreIsBetter ? medians.Max() : medians.Min();
    }

    private static string Cell(double[] values) => values.Length switch
    {
        0 => "",
        1 => BenchTable.Digits(values[0]),
        _ => $"{BenchTable.Digits(Statistics.Median(values))} ({BenchTable.Digits(values.Min())} to {BenchTable.Digits(values.Max())})",
    };
}
