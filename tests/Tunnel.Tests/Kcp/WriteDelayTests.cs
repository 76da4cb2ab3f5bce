using Tunnel.Protocol.Kcp;

namespace Tunnel.Tests.Kcp;

public class WriteDelayTests
{
    [Fact]
    public void WithoutItDataLeavesAtOnce()
    {
        var bench = new EngineBench(new KcpOptions { WriteDelay = false, Interval = 40 });
        for (uint i = 0; i < 5; i++)
        {
            bench.User.ToSend = 1;
            Assert.Equal([i], bench.Pushes(100 + i));
        }
    }

    [Fact]
    public void WithItDataWaitsForTheInterval()
    {
        var bench = new EngineBench(new KcpOptions { WriteDelay = true, Interval = 40 });
        bench.User.ToSend = 1;
        Assert.Equal([0], bench.Pushes(100));
        bench.User.ToSend = 1;
        Assert.Empty(bench.Drain(110));
        Assert.Equal(140, bench.Engine.Deadline);
        bench.User.ToSend = 2;
        Assert.Empty(bench.AdvanceAndDrain(139));
        KcpSegment both = Assert.Single(bench.AdvanceAndDrain(140));
        Assert.Equal(2u, both.Length);
    }

    /// <summary>A writer that is told that its write has left writes the next one within the tick; what comes a millisecond later waits.</summary>
    [Fact]
    public void WhoGoesOnAtOnceDoesNotWaitForTheNext()
    {
        var bench = new EngineBench(new KcpOptions { WriteDelay = true, Interval = 40 });
        bench.User.ToSend = 1;
        Assert.Equal([0], bench.Pushes(100));
        bench.User.ToSend = 1;
        Assert.Equal([1], bench.Pushes(100));
        bench.User.ToSend = 1;
        Assert.Empty(bench.Drain(101));
        Assert.Equal(140, bench.Engine.Deadline);
    }

    /// <summary>An acknowledgement opens the way again, whatever became of the tick before.</summary>
    [Fact]
    public void AnAdvanceAfterTheTickStillSends()
    {
        var bench = new EngineBench(new KcpOptions { WriteDelay = true, Interval = 40 });
        bench.User.ToSend = 1;
        bench.Drain(100);
        bench.Ack(105, 0, 100, 1);
        bench.User.ToSend = 1;
        Assert.Equal([1], bench.Pushes(105));
    }

    [Fact]
    public void AnAdvanceSendsWhatWaits()
    {
        var bench = new EngineBench(new KcpOptions { WriteDelay = true, Interval = 40 });
        bench.User.ToSend = 1;
        bench.Drain(100);
        bench.User.ToSend = 1;
        Assert.Empty(bench.Drain(101));
        bench.Ack(105, 0, 100, 1);
        Assert.Equal([1], bench.Pushes(105));
    }

    [Fact]
    public void NothingToDoMeansNoDeadline()
    {
        var bench = new EngineBench(new KcpOptions { WriteDelay = true, Interval = 40 });
        Assert.Empty(bench.AdvanceAndDrain(0));
        Assert.Equal(long.MaxValue, bench.Engine.Deadline);
    }
}
