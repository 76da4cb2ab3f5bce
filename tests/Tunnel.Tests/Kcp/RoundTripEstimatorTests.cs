using Tunnel.Protocol.Kcp;

namespace Tunnel.Tests.Kcp;

public class RoundTripEstimatorTests
{
    private const int Steady = 1;

    [Fact]
    public void APauseIsRememberedForSecondsAndNotForever()
    {
        RoundTripEstimator estimator = Lossy(noDelay: true);
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
        RoundTripEstimator estimator = Lossy(noDelay);
        estimator.Add(20, 0);
        Feed(ref estimator, 1, 1_000);
        Assert.Equal(minimum, estimator.Timeout);
    }

    /// <summary>A queue of seconds, or a peer that lies, must not make every later loss wait for seconds.</summary>
    [Fact]
    public void ALongOneCountsAsKcpsInitialTimeout()
    {
        RoundTripEstimator estimator = Lossy(noDelay: true);
        estimator.Add(5_000, 0);
        Feed(ref estimator, 1, 1_000);
        Assert.Equal(200, estimator.Timeout);
    }

    [Fact]
    public void AfterALongSilenceThereIsNothingToRemember()
    {
        RoundTripEstimator estimator = Lossy(noDelay: true);
        estimator.Add(80, 0);
        Feed(ref estimator, 1, 1_000);
        Feed(ref estimator, 40_000, 41_000);
        Assert.Equal(30, estimator.Timeout);
    }

    /// <summary>A cable: whatever is late there is late, and not lost.</summary>
    [Fact]
    public void WithoutLossTheTimeoutIsTheInitialOne()
    {
        var estimator = new RoundTripEstimator(noDelay: true, interval: 10);
        Feed(ref estimator, 0, 1_000);
        Assert.Equal(200, estimator.Timeout);
        estimator.OnLoss(1_000);
        Feed(ref estimator, 1_000, 1_010);
        Assert.Equal(200, estimator.Timeout);
        estimator.OnLoss(1_000);
        Feed(ref estimator, 1_000, 60_999);
        Assert.Equal(30, estimator.Timeout);
        Feed(ref estimator, 60_999, 61_001);
        Assert.Equal(200, estimator.Timeout);
    }

    /// <summary>Between hosts that are further apart something may lose: the first lone loss costs what every other does.</summary>
    [Theory]
    [InlineData(9, 200)]
    [InlineData(10, 30)]
    [InlineData(50, 62)]
    public void OnALongPathWhatIsLateIsLostWithoutProof(int path, int timeout)
    {
        var estimator = new RoundTripEstimator(noDelay: true, interval: 10);
        for (int now = 0; now < 1_000; now++)
            estimator.Add(path, now);
        Assert.Equal(timeout, estimator.Timeout);
    }

    /// <summary>Whoever waits behind a queue, or for a busy host, is as near as it was when nothing was in the way.</summary>
    [Fact]
    public void APathIsAsShortAsItsShortestRoundTrip()
    {
        var estimator = new RoundTripEstimator(noDelay: true, interval: 10);
        estimator.Add(Steady, 0);
        for (int now = 0; now < 9_000; now++)
            estimator.Add(40, now);
        Assert.Equal(200, estimator.Timeout);
        for (int now = 9_000; now < 21_000; now++)
            estimator.Add(40, now);
        Assert.InRange(estimator.Timeout, 50, 62);
    }

    private static RoundTripEstimator Lossy(bool noDelay)
    {
        var estimator = new RoundTripEstimator(noDelay, interval: 10);
        estimator.OnLoss(0);
        estimator.OnLoss(0);
        return estimator;
    }

    private static void Feed(ref RoundTripEstimator estimator, long from, long until)
    {
        for (long now = from; now < until; now++)
            estimator.Add(Steady, now);
    }
}
