using Tunnel.Protocol.Kcp;

namespace Tunnel.Tests.Kcp;

public class PathLossTests
{
    private const int Segments = 100;

    [Theory]
    [InlineData(0, 0)]
    [InlineData(20, 0.2)]
    [InlineData(50, 0.5)]
    public void WhatASlowRoundLosesIsThePaths(int lost, double share) => Assert.Equal(share, Learn(lost), 3);

    /// <summary>
    /// Of a path that loses more than half nobody knows whether it is the path: what has to leave for the same to arrive would grow without end.
    /// </summary>
    [Theory]
    [InlineData(60)]
    [InlineData(100)]
    public void NoMoreThanHalfIsBelieved(int lost) => Assert.Equal(0.5, Learn(lost));

    [Fact]
    public void WhatOtherRoundsLoseIsNot()
    {
        var loss = new PathLoss();
        loss.BeginSlowRound(Segments);
        loss.EndSlowRound(2 * Segments);
        for (ulong transmission = 1; transmission <= 3 * Segments; transmission++)
        {
            if (transmission is <= Segments or > 2 * Segments)
                loss.OnLost(transmission);
        }

        loss.Learn(50);
        Assert.Equal(0, loss.Share);
    }

    /// <summary>What is believed after many slow rounds that lose so much.</summary>
    private static double Learn(int lost)
    {
        var loss = new PathLoss();
        for (ulong round = 0; round < 50; round++)
        {
            ulong from = round * Segments;
            loss.BeginSlowRound(from);
            for (int i = 1; i <= lost; i++)
                loss.OnLost(from + (ulong)i);
            loss.EndSlowRound(from + Segments);
            loss.Learn(50);
        }

        return loss.Share;
    }
}
