using Tunnel.App.Hosting;

namespace Tunnel.Tests.Hosting;

public class FirewallPaceTests
{
    private const bool IsTold = true;

    private static readonly TimeSpan Hurried = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Unhurried = TimeSpan.FromMinutes(1);

    [Fact]
    public void WhereTheKernelTellsALookAMinuteIsEnough()
    {
        var pace = new FirewallPace();
        for (int i = 0; i < 100; i++)
        {
            Assert.Equal(Unhurried, pace.Wait(IsTold));
            Assert.True(pace.BeginRound(IsTold));
        }
    }

    [Fact]
    public void WhereItDoesNotEachRoundIsSoonAndOneAMinuteAsksForAll()
    {
        var pace = new FirewallPace();
        int lists = 0;
        for (int i = 0; i < 120; i++)
        {
            Assert.Equal(Hurried, pace.Wait(!IsTold));
            lists += pace.BeginRound(!IsTold) ? 1 : 0;
        }

        Assert.Equal(10, lists);
    }

    /// <summary>It may have been anybody's rules: it is asked at once which are there, and then each keeper has a round to see whether his are as they were.</summary>
    [Fact]
    public void MoreThanTheKernelCouldTellGivesEachAHurriedRound()
    {
        var pace = new FirewallPace();
        pace.BeginRound(IsTold);
        pace.OnUntold(keepers: 3);
        bool[] lists = new bool[3];
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(Hurried, pace.Wait(IsTold));
            lists[i] = pace.BeginRound(IsTold);
        }

        Assert.Equal([true, false, false], lists);
        Assert.Equal(Unhurried, pace.Wait(IsTold));
    }
}
