using Tunnel.EndToEnd.Harness;

namespace Tunnel.EndToEnd.Fleet;

/// <summary>Two servers: shares, failures, returns. Keepalive is 10 s here and gives up after 30, so none of this is its doing.</summary>
public class FailoverTests : EndToEndTest
{
    /// <summary>A second is what is promised; a busy machine is given another.</summary>
    private static readonly TimeSpan SoonEnough = TimeSpan.FromSeconds(2);

    [Fact(Timeout = Limit)]
    public async Task NewStreamsLeaveAKilledServerAndComeBackToIt()
    {
        LoopbackFleet fleet = await LoopbackFleet.StartAsync(this, [FreeUdpPort(), FreeUdpPort()], conn: 2, _ => []);
        Assert.InRange(await fleet.CountFirstAsync(40), 8, 32);
        await fleet.KillAsync(0);
        TimeSpan slowest = await fleet.OpenManyAsync(32);
        TestContext.Current.TestOutputHelper?.WriteLine($"the slowest new stream after the kill took {slowest.TotalMilliseconds:0} ms");
        Assert.InRange(slowest, TimeSpan.Zero, SoonEnough);
        Assert.Equal(0, await fleet.CountFirstAsync(10));
        await fleet.RestartAsync(0);
        await Until.TrueAsync("the first server is used again", async () => await fleet.CountFirstAsync(1) == 1);
    }

    [Fact(Timeout = Limit)]
    public async Task AServerThatIsPausedIsLeftToo()
    {
        LoopbackFleet fleet = await LoopbackFleet.StartAsync(this, [FreeUdpPort(), FreeUdpPort()], conn: 1, i => [$"priority = {i}"]);
        Assert.Equal(5, await fleet.CountFirstAsync(5));
        fleet.Servers[0].Pause();
        Assert.InRange(await fleet.OpenManyAsync(32), TimeSpan.Zero, SoonEnough);
        fleet.Servers[0].Resume();
        await Until.TrueAsync("the first server is used again", async () => await fleet.CountFirstAsync(1) == 1);
    }

    [Fact(Timeout = Limit)]
    public async Task WeightsAreRespected()
    {
        LoopbackFleet fleet = await LoopbackFleet.StartAsync(
            this, [FreeUdpPort(), FreeUdpPort()], conn: 1, i => [$"weight = {(i == 0 ? 4 : 1)}"]);
        // Costs move the shares a little: 128 of 160 if they are equal.
        Assert.InRange(await fleet.CountFirstAsync(160), 96, 150);
    }

    [Fact(Timeout = Limit)]
    public async Task AStandbyServesOnlyWhileThePreferredOneIsAway()
    {
        LoopbackFleet fleet = await LoopbackFleet.StartAsync(
            this, [FreeUdpPort(), FreeUdpPort()], conn: 2, i => [$"priority = {10 * i}", $"weight = {1 + 1000 * i}"]);
        Assert.Equal(20, await fleet.CountFirstAsync(20));
        await fleet.KillAsync(0);
        Assert.InRange(await fleet.OpenManyAsync(16), TimeSpan.Zero, SoonEnough);
        Assert.Equal(0, await fleet.CountFirstAsync(10));
        await fleet.RestartAsync(0);
        await Until.TrueAsync("the preferred server is used again", async () => await fleet.CountFirstAsync(1) == 1);
        await fleet.Client.ConnectedAsync(times: 6);
        Assert.Equal(10, await fleet.CountFirstAsync(10));
    }
}
