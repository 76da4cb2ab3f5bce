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
        var log = new RateLimitedLog(lines, "storms", now: () => new Instant(time));
        for (int i = 0; i < RateLimitedLog.Burst; i++)
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
}
