using Tunnel.Bench;
using Tunnel.Bench.Contenders;
using Tunnel.Bench.Loads;
using Tunnel.Bench.Results;
using Tunnel.Ctl.Bench;
using static Tunnel.Tests.Races.SampleRace;

namespace Tunnel.Tests.Races;

public class TargetTests
{
    private const string AgainstPaqet = "bulk down against paqet";

    [Theory]
    [InlineData(500, "missed by 17 %")]
    [InlineData(600, "met")]
    [InlineData(1200, "met, and the aim")]
    public void WhatIsReachedIsJudged(double ours, string so)
    {
        (Reached? reached, string? judged) = Judge(AgainstPaqet, Of(Bulk("ours, afpacket", ContenderKind.Ours, ours), Bulk("paqet", ContenderKind.Peer, 100)));
        Assert.Equal((ours / 100, false, so), (reached!.Value, reached.IsDerived, judged));
    }

    [Fact]
    public void TheBestNumberOfConnectionsCounts()
    {
        RaceResult race = Of(
            Bulk("ours, afpacket", ContenderKind.Ours, 500), Bulk("ours, afpacket, conn 2", ContenderKind.Ours, 700), Bulk("paqet", ContenderKind.Peer, 100));
        Assert.Equal(7, Judge(AgainstPaqet, race).Reached!.Value);
    }

    [Fact]
    public void WithoutPaqetKcptunStandsInAndThatIsSaid()
    {
        RaceResult race = Of(Bulk("ours, afpacket", ContenderKind.Ours, 650), Bulk("kcptun", ContenderKind.Peer, 100));
        Reached reached = Judge(AgainstPaqet, race).Reached!;
        Assert.True(reached.IsDerived);
        Assert.Equal(10, reached.Value, 6);
        Assert.Contains("not measured; derived: met", RaceTable.Write(race), StringComparison.Ordinal);
    }

    [Fact]
    public void WhatDidNotRunIsNotMeasured()
    {
        Assert.Equal((null, null), Judge(AgainstPaqet, Of(Bulk("ours, afpacket", ContenderKind.Ours, 650))));
        Assert.Contains("| bulk down against paqet | 6.00 | 12.0 |  | not measured |", RaceTable.Write(Of()), StringComparison.Ordinal);
    }

    [Fact]
    public void EverySegmentSentAgainCounts()
    {
        LaneResult lane = Bulk("ours, afpacket", ContenderKind.Ours, 1);
        lane.Laps[0] = lane.Laps[0] with { Losses = new Losses(2, 1) };
        Assert.Equal("missed by 3.00", Judge("retransmissions and kernel drops, all laps", Of(lane)).So);
        lane.Laps[0] = lane.Laps[0] with { Losses = new Losses(0, 0) };
        Assert.Equal("met, and the aim", Judge("retransmissions and kernel drops, all laps", Of(lane)).So);
    }

    /// <summary>By turns within a lap, so one lap's ratio has nothing of what two starts differ by; of ten fetches a second a tenth is one's.</summary>
    [Theory]
    [InlineData("bulk down, scraped", "CPU of bulk down with metrics fetched each second, to without", 10)]
    [InlineData("bulk down, page", "CPU of bulk down with the page open, to without", 1)]
    public void BeingWatchedIsComparedWithinALap(string load, string what, int timesAsOften)
    {
        LaneResult lane = Bulk("ours, afpacket, [debug]", ContenderKind.Ours, 100, 100, 100) with { Load = load };
        double[] cost = [0.005, 0.004, 0], unwatched = [1, 5, 9];
        for (int i = 0; i < cost.Length; i++)
            lane.Laps[i] = WatchedLap(unwatched[i] * (1 + timesAsOften * cost[i]), unwatched[i]);
        (Reached? reached, string? so) = Judge(what, Of(lane));
        Assert.Equal(1.004, reached!.Value, 9);
        Assert.Equal("met", so);
        Assert.Equal("missed by 1 %", Judge(what, Of(lane with { Laps = [WatchedLap(1 + timesAsOften * 0.02, 1)] })).So);
    }

    [Fact]
    public void TurnsOfALapAreOneRound()
    {
        RoundResult both = WatchedLoad.Join(WatchedLoad.Join(null, BulkLap(100, 1).Result!), BulkLap(300, 2).Result!);
        Assert.Equal((2, 50_000_000, 3), (both.Seconds, both.Bytes, Assert.Single(both.Processes).ProcessorSeconds));
        Assert.Equal(60, both.ProcessorSecondsPerGigabyte);
    }

    private static Lap WatchedLap(double watched, double unwatched) => BulkLap(100, watched) with { Unwatched = BulkLap(100, unwatched).Result };

    private static (Reached? Reached, string? So) Judge(string what, RaceResult race)
    {
        Target target = Target.All.Single(t => t.What == what);
        Reached? reached = target.Read(race);
        return (reached, target.Judge(reached));
    }
}
