using Tunnel.App.Runtime;
using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Runtime;

public class RateLimitedLogTests
{
    [Fact]
    public void AFewInEachPeriodAndTheNumberOfTheOthers()
    {
        var lines = new LogLines();
        long time = 5;
        var log = new RateLimitedLog(lines, "storms", () => new Instant(time));
        for (int i = 0; i < RateLimitedLog.DefaultBurst; i++)
            Assert.True(log.Admits());
        Assert.False(log.Admits());
        time += RateLimitedLog.Period - 1;
        Assert.False(log.Admits());
        Assert.Empty(lines.All);

        time++;
        Assert.True(log.Admits());
        Assert.Equal(["2 more messages about storms were left out"], lines.All);
        Assert.True(log.Admits());
        Assert.Single(lines.All);
        Assert.Equal(2, log.TotalLeftOut);
    }

    /// <summary>As it happens by itself when the period is over.</summary>
    [Fact]
    public void TheNumberIsSaidAlsoWhenNothingFollows()
    {
        var lines = new LogLines();
        var log = new RateLimitedLog(lines, "storms", () => new Instant(5));
        for (int i = 0; i < RateLimitedLog.DefaultBurst + 7; i++)
            log.Admits();
        log.Settle();
        log.Settle();
        Assert.Equal(["7 more messages about storms were left out"], lines.All);
        Assert.False(log.Admits());
        log.Settle();
        Assert.Equal("1 more message about storms was left out", lines.All[1]);
    }
}
