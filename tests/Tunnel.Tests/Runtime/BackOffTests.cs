using Tunnel.App.Runtime;

namespace Tunnel.Tests.Runtime;

public class BackOffTests
{
    private const double Jitter = 0.25;

    [Fact]
    public void PausesGrowToHalfAMinute()
    {
        var backOff = new BackOff(new Random(1));
        double expected = BackOff.Minimum.TotalSeconds;
        for (int i = 0; i < 20; i++)
        {
            Assert.InRange(backOff.Next().TotalSeconds, expected * (1 - Jitter), expected * (1 + Jitter));
            expected = Math.Min(BackOff.Maximum.TotalSeconds, 2 * expected);
        }

        Assert.Equal(30, expected);
        backOff.Reset();
        Assert.InRange(backOff.Next().TotalSeconds, 0.5 * (1 - Jitter), 0.5 * (1 + Jitter));
    }

    [Fact]
    public void NoTwoClientsComeBackInStep()
    {
        TimeSpan[] pauses = [.. Enumerable.Range(0, 100).Select(seed => new BackOff(new Random(seed)).Next())];
        Assert.Equal(100, pauses.Distinct().Count());
        Assert.True(pauses.Max() - pauses.Min() > BackOff.Minimum * Jitter);
    }
}
