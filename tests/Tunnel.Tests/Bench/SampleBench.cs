using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Check.Snapshots;
using Tunnel.Tests.Check;

namespace Tunnel.Tests.Bench;

/// <summary>Results as bench --save keeps them, of a host whose somaxconn a test chooses.</summary>
internal static class SampleBench
{
    private static readonly HostFacts Host = new("box", "Linux", "unknown", 2, 1);
    private static readonly LoadFacts Load = new("http", "http://127.0.0.1:9000/", null, "GET /, a connection each", 1, 5, null, null);

    /// <summary>At each concurrency the same rounds, in which each operation takes so many microseconds and opens a connection.</summary>
    /// <param name="latencies">Of each round.</param>
    /// <param name="concurrency">Workers.</param>
    public static BenchResult Of(double[] latencies, params int[] concurrency) => new(
        BenchResult.CurrentFormat, "tunnelctl", DateTime.UnixEpoch, Host, Load,
        [.. concurrency.Select(c => new BenchPoint(c, [.. latencies.Select(Round)]))]);

    public static async Task<BenchResult> WithHostAsync(this BenchResult result, string somaxconn = "4096", long overflows = 0)
    {
        using var host = new FixtureHost();
        host.Write("/proc/sys/net/core/somaxconn", somaxconn + "\n");
        Snapshot snapshot = Snapshot.Of(await host.CheckAsync());
        var listener = new ListenerUse("127.0.0.1:9000", 1, long.Parse(somaxconn), 3);
        return result with { HostRecord = new HostRecord(snapshot, snapshot, [listener], overflows, overflows, null) };
    }

    public static LatencyFacts Times(long count, double mean, double median, double deviation) =>
        new(count, median, mean, median, deviation, mean, mean, mean, mean);

    private static RoundResult Round(double latency)
    {
        LatencyFacts times = Times(1000, latency, latency, 1);
        return new RoundResult(1, 1000, 13_000, 0, times, times, new Dictionary<string, long>(), []);
    }
}
