using Tunnel.Protocol.Kcp;

namespace Tunnel.Tests.Kcp;

public class RoundTripEstimatorTests
{
    private const int Steady = 1;

    [Fact]
    public void APauseIsRememberedForSecondsAndNotForever()
    {
        var estimator = new RoundTripEstimator(noDelay: true, interval: 10);
        Feed(ref estimator, 0, 1_000);
        Assert.Equal(30, estimator.Timeout);
        estimator.Add(80, 1_000);
        Feed(ref estimator, 1_001, 11_000);
        Assert.Equal(100, estimator.Timeout);
        Feed(ref estimator, 11_000, 22_000);
        Assert.Equal(30, estimator.Timeout);
    }

    [Theory]
    [InlineData(true, 30)]
    [InlineData(false, 100)]
    public void AShortPauseChangesNothing(bool noDelay, int minimum)
    {
        var estimator = new RoundTripEstimator(noDelay, interval: 10);
        estimator.Add(20, 0);
        Feed(ref estimator, 1, 1_000);
        Assert.Equal(minimum, estimator.Timeout);
    }

    /// <summary>A queue of seconds, or a peer that lies, must not make every later loss wait for seconds.</summary>
    [Fact]
    public void ALongOneCountsAsKcpsInitialTimeout()
    {
        var estimator = new RoundTripEstimator(noDelay: true, interval: 10);
        estimator.Add(5_000, 0);
        Feed(ref estimator, 1, 1_000);
        Assert.Equal(200, estimator.Timeout);
    }

    [Fact]
    public void AfterALongSilenceThereIsNothingToRemember()
    {
        var estimator = new RoundTripEstimator(noDelay: true, interval: 10);
        estimator.Add(80, 0);
        Feed(ref estimator, 1, 1_000);
        Feed(ref estimator, 40_000, 41_000);
        Assert.Equal(30, estimator.Timeout);
    }

    private static void Feed(ref RoundTripEstimator estimator, long from, long until)
    {
        for (long now = from; now < until; now++)
            estimator.Add(Steady, now);
    }
}
