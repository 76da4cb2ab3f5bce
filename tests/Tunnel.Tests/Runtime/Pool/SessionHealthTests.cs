using Tunnel.App.Runtime.Pool;

namespace Tunnel.Tests.Runtime.Pool;

/// <summary>The numbers behind the choice, the silence and the sickness.</summary>
public class SessionHealthTests
{
    [Theory]
    [InlineData(0, 0, 0, 20)]
    [InlineData(80, 0, 0, 100)]
    [InlineData(0, 0.5, 0, 120)]
    [InlineData(0, 7, 0, 220)]
    [InlineData(80, 0, 0.1, 200)]
    public void WhatAStreamCosts(int roundTrip, double filled, double loss, double cost) =>
        Assert.Equal(cost, SessionHealth.CostOf(roundTrip, filled, loss), 6);

    [Theory]
    [InlineData(30, 250)]
    [InlineData(200, 600)]
    [InlineData(400, 1000)]
    [InlineData(1000, 1500)]
    [InlineData(60_000, 90_000)]
    public void HowLongSilenceIs(int timeout, int silence) => Assert.Equal(silence, SessionHealth.SilenceOf(timeout));

    [Theory]
    [InlineData(0.5, new double[0], false)]
    [InlineData(0.5, new[] { 0.0, 0.01, 0.02 }, true)]
    [InlineData(0.1, new[] { 0.0, 0.0, 0.0 }, false)]
    [InlineData(0.5, new[] { 0.4, 0.0, 0.45 }, false)]
    [InlineData(0.5, new[] { 0.9, 0.0, 0.01 }, true)]
    public void WhoseLossStandsOut(double loss, double[] siblings, bool sick) => Assert.Equal(sick, LossJudge<string>.IsSick(loss, siblings));

    [Fact]
    public void ALossMustStandOutForAWhile()
    {
        var judge = new LossJudge<string>();
        (string, double)[] sick = [("a", 0.3), ("b", 0.0), ("c", 0.01)], well = [("a", 0.05), ("b", 0.0), ("c", 0.01)];
        for (int i = 1; i < LossJudge<string>.Patience; i++)
            Assert.Null(judge.Judge(sick));
        Assert.Null(judge.Judge(well));
        for (int i = 1; i < LossJudge<string>.Patience; i++)
            Assert.Null(judge.Judge(sick));
        Assert.Equal("a", judge.Judge(sick));
    }
}
