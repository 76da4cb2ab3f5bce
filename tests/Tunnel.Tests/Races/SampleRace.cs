using Tunnel.Bench;
using Tunnel.Bench.Cables;
using Tunnel.Bench.Contenders;
using Tunnel.Bench.Results;
using Tunnel.Ctl.Bench;

namespace Tunnel.Tests.Races;

/// <summary>Races with figures of the test's own.</summary>
internal static class SampleRace
{
    private static readonly HostFacts Host = new("box", "Linux", "some processor", 2, 1);
    private static readonly LatencyFacts None = LatencyFacts.Of(new LatencyHistogram());

    public static RaceResult Of(params LaneResult[] lanes) =>
        new(RaceResult.CurrentFormat, new DateTime(2026, 1, 2, 0, 0, 0, DateTimeKind.Utc), "abc", Host, 1, lanes);

    /// <summary>A lane of bulk downloads on the plain cable.</summary>
    public static LaneResult Bulk(string contender, ContenderKind kind, params double[] megabits) =>
        new(Cable.Veth.Name, contender, kind, "bulk down", [.. megabits.Select(m => BulkLap(m))]);

    /// <summary>One second of it.</summary>
    public static Lap BulkLap(double megabits, double processorSeconds = 1) => new(
        new RoundResult(
            1, 1, (long)(megabits * 1e6 / 8), 0, None, None, new Dictionary<string, long>(), [new ProcessUse(1, "a", processorSeconds, 0, 0, 1 << 20)]),
        null);
}
