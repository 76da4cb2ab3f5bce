using Tunnel.Protocol.Kcp;

namespace Tunnel.Tests.Kcp;

public class DeliveryRateTests
{
    /// <summary>Whoever yields again and again to a path that only changed would end with nothing.</summary>
    [Fact]
    public void YieldingEndsBelowHalfOfTheRecentBest()
    {
        var rate = new DeliveryRate();
        rate.Add(100, wasIdle: false);
        for (int i = 0; i < 50; i++)
            rate.Yield(0.9);
        Assert.InRange(rate.Best, 45, 50);
    }

    [Fact]
    public void ABestOfLongAgoDoesNotCount()
    {
        var rate = new DeliveryRate();
        rate.Add(100, wasIdle: false);
        for (int i = 0; i < 50; i++)
            rate.Yield(0.9);
        rate.Forget(9_999);
        rate.Yield(0.9);
        Assert.InRange(rate.Best, 45, 50);
        rate.Forget(10_000);
        for (int i = 0; i < 50; i++)
            rate.Yield(0.9);
        Assert.InRange(rate.Best, 20, 25);
    }

    [Fact]
    public void TheBestOfTenRoundsCounts()
    {
        var rate = new DeliveryRate();
        rate.Add(100, wasIdle: false);
        for (int i = 0; i < 9; i++)
            rate.Add(50, wasIdle: false);
        Assert.Equal(100, rate.Best);
        rate.Add(50, wasIdle: false);
        Assert.Equal(50, rate.Best);
    }
}
