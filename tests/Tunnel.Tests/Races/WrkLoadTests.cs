using Tunnel.Bench.Loads;
using Tunnel.Ctl.Bench;

namespace Tunnel.Tests.Races;

public class WrkLoadTests
{
    [Fact]
    public void ASummaryBecomesARound()
    {
        RoundResult round = WrkLoad.Parse(
            """
            {"microseconds":2000000,"requests":50000,"bytes":6400000,"minimum":20.0,
             "mean":300.0,"deviation":10.0,"maximum":900.0,"median":290.0,"p95":500.0,"p99":700.0,"p999":800.0,"errors":3}
            """);
        Assert.Equal((25_000d, 3L, 290d, 700d), (round.OperationsPerSecond, round.ErrorCount, round.Latency.Median, round.Latency.P99));
    }
}
