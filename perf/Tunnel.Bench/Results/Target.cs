using System.Globalization;
using Tunnel.Bench.Cables;
using Tunnel.Bench.Contenders;
using Tunnel.Bench.Loads;
using Tunnel.Ctl.Bench;

namespace Tunnel.Bench.Results;

/// <summary>What the tunnel is to reach on the plain cable: a figure, or a figure's ratio to a peer's in the same race.</summary>
/// <param name="What">In words.</param>
/// <param name="MoreIsBetter">Or less.</param>
/// <param name="AtLeast">What must be.</param>
/// <param name="Aim">What is wanted.</param>
internal sealed record Target(string What, bool MoreIsBetter, double AtLeast, double Aim)
{
    /// <summary>
    /// paqet's bulk throughput over kcptun's, as others measured them side by side (660 and 1,020 Mbit/s on two cores): what stands in
    /// for a binary that is not there.
    /// </summary>
    private const double PaqetToKcptun = 0.65;

    private const string OneConnection = "ours, afpacket";
    private const string Showing = "ours, afpacket, [debug]";

    private static readonly string[] AnyConn = [OneConnection, "ours, afpacket, conn 2", "ours, afpacket, conn 4"];

    public static readonly IReadOnlyList<Target> All =
    [
        AgainstPaqet("bulk down against paqet", "bulk down", AnyConn, 6, 12),
        AgainstPaqet("bulk up against paqet", "bulk up", AnyConn, 6, 12),
        Against("kcptun", "bulk down", RaceFigure.Throughput, AnyConn, 4, 8),
        Against("kcptun", "bulk up", RaceFigure.Throughput, AnyConn, 4, 8),
        Figure("CPU s/GB, bulk down", "bulk down", RaceFigure.Processor, 4, 2),
        Figure("CPU s/GB, bulk up", "bulk up", RaceFigure.Processor, 4, 2),
        AgainstPaqet("bulk down over pcap against paqet", "bulk down", ["ours, pcap"], 2, 3),
        Against("kcptun", "echo", RaceFigure.P50, [OneConnection], 0.8, 0.5),
        Against("kcptun", "echo", RaceFigure.P99, [OneConnection], 0.7, 0.5),
        Against("kcptun", "echo, 50", RaceFigure.Rate, [OneConnection], 1.5, 3),
        Against("kcptun", "connect", RaceFigure.Rate, [OneConnection], 2, 4),
        Against("kcptun", "http, 50", RaceFigure.Rate, [OneConnection], 1.5, 2.5),
        Figure("KiB a held idle stream, of 10,000", "hold 10000", RaceFigure.MemoryEach(10_000), 16, 4),
        new("retransmissions and kernel drops, all laps", false, 0, 0) { Read = SumLosses },
        Figure("% of a core, 100 idle sessions", "idle, 100 sessions", RaceFigure.CorePart, 1, 0.2),
        LongestPause("bulk down", "bulk up", "bulk down, 8"),
        LongestPause("echo", "echo, 50", "http, 50", "wrk, 50"),
        LongestPause("connect"),
        new("CPU of bulk down with [debug] that nobody asks, to without", false, 1.01, 1) { Read = CompareUnasked },
        Watched("CPU of bulk down with metrics fetched each second, to without", "bulk down, scraped", MetricsWatcher.FetchRate),
        Watched("CPU of bulk down with the page open, to without", "bulk down, page", 1),
    ];

    /// <summary>What was reached.</summary>
    public required Func<RaceResult, Reached?> Read { get; init; }

    /// <summary>Met, or by how much not; null: not measured.</summary>
    public string? Judge(Reached? reached)
    {
        if (reached is null)
            return null;
        if (IsAtLeast(reached.Value, Aim))
            return "met, and the aim";
        if (IsAtLeast(reached.Value, AtLeast))
            return "met";
        return AtLeast == 0
            ? $"missed by {BenchTable.Digits(reached.Value)}"
            : string.Create(CultureInfo.InvariantCulture, $"missed by {100 * Math.Abs(reached.Value / AtLeast - 1):0} %");
    }

    private bool IsAtLeast(double value, double bound) => MoreIsBetter ? value >= bound : value <= bound;

    private static Target Figure(string what, string load, RaceFigure figure, double atLeast, double aim) =>
        new(what, figure.MoreIsBetter, atLeast, aim) { Read = race => Best(race, load, figure, [OneConnection]) is { } value ? new Reached(value) : null };

    private static Target Against(string peer, string load, RaceFigure figure, string[] ours, double atLeast, double aim) =>
        new($"{load}, {figure.Name} against {peer}", figure.MoreIsBetter, atLeast, aim)
        {
            Read = race => Ratio(Best(race, load, figure, ours), Best(race, load, figure, [peer])),
        };

    private static Target AgainstPaqet(string what, string load, string[] ours, double atLeast, double aim)
    {
        RaceFigure figure = RaceFigure.Throughput;
        return new Target(what, true, atLeast, aim)
        {
            Read = race => Ratio(Best(race, load, figure, ours), Best(race, load, figure, ["paqet"]))
                ?? Ratio(Best(race, load, figure, ours), Best(race, load, figure, ["kcptun"]) * PaqetToKcptun, isDerived: true),
        };
    }

    /// <summary>In the same processes, by turns.</summary>
    /// <param name="what">In words.</param>
    /// <param name="load">The row.</param>
    /// <param name="timesAsOften">How much more often than in the target's words they are asked: what that costs is divided by it.</param>
    private static Target Watched(string what, string load, int timesAsOften) => new(what, false, 1.01, 1)
    {
        Read = race => Best(race, load, RaceFigure.ProcessorToUnwatched, [Showing]) is { } value ? new Reached(1 + (value - 1) / timesAsOften) : null,
    };

    /// <summary>In any lap of ours, and not in the median one: who stands still once has stood still.</summary>
    private static Target LongestPause(params string[] loads) => new($"longest GC pause ms in any lap of {string.Join("; ", loads)}", false, 1, 1)
    {
        Read = race => race.Lanes
            .Where(l => l.Cable == Cable.Veth.Name && loads.Contains(l.Load))
            .SelectMany(l => l.Laps)
            .Max(l => l.Garbage?.LongestMilliseconds) is { } longest ? new Reached(longest) : null,
    };

    /// <summary>Two starts of the same thing differ, so this one is coarser.</summary>
    private static Reached? CompareUnasked(RaceResult race)
    {
        const string Load = "bulk down, long";
        return Ratio(Best(race, Load, RaceFigure.Processor, [Showing]), Best(race, Load, RaceFigure.Processor, [OneConnection]));
    }

    private static Reached? Ratio(double? ours, double? peer, bool isDerived = false) =>
        ours is { } value && peer is > 0 ? new Reached(value / peer.Value, isDerived) : null;

    private static double? Best(RaceResult race, string load, RaceFigure figure, string[] contenders)
    {
        double[] medians = [.. contenders.Select(c => race.MedianOf(Cable.Veth.Name, c, load, figure)).OfType<double>()];
        return medians.Length == 0 ? null : figure.MoreIsBetter ? medians.Max() : medians.Min();
    }

    private static Reached? SumLosses(RaceResult race)
    {
        Losses[] known = [.. race.Lanes.Where(l => l.Cable == Cable.Veth.Name).SelectMany(l => l.Laps).Select(l => l.Losses).OfType<Losses>()];
        return known.Length == 0 ? null : new Reached(known.Sum(l => l.Retransmissions + l.KernelDrops));
    }
}

/// <param name="Value">In the target's terms.</param>
/// <param name="IsDerived">The peer did not run: its figure was made from another's.</param>
internal sealed record Reached(double Value, bool IsDerived = false);
