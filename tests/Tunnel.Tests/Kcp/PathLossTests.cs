using Tunnel.Protocol.Kcp;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Kcp;

public class PathLossTests
{
    private const int Segments = 300;

    [Theory]
    [InlineData(0, 0)]
    [InlineData(20, 0.2)]
    [InlineData(50, 0.5)]
    public void WhatASlowRoundLosesIsThePaths(int lost, double share)
    {
        var path = new Path();
        path.Run(50, fast: lost, slow: lost, usual: lost);
        Assert.Equal(share, path.Loss.Share, 3);
        Assert.False(path.Loss.IsShared);
    }

    /// <summary>
    /// Of a path that loses more than half nobody knows whether it is the path: what has to leave for the same to arrive would grow without end.
    /// </summary>
    [Theory]
    [InlineData(60)]
    [InlineData(100)]
    public void NoMoreThanHalfIsBelieved(int lost)
    {
        var path = new Path();
        path.Run(50, fast: lost, slow: lost, usual: lost);
        Assert.Equal(0.5, path.Loss.Share);
    }

    [Fact]
    public void WhatOtherRoundsLoseIsNot()
    {
        var path = new Path();
        path.Run(50, fast: 100, slow: 0, usual: 100);
        Assert.Equal(0, path.Loss.Share);
    }

    /// <summary>Sessions that made up for what they lost to one another lost the more for it.</summary>
    [Fact]
    public void WhatIsLostTheMoreOfTheMoreIsSentIsAQueues()
    {
        var path = new Path();
        path.Run(20, fast: 30, slow: 30, usual: 30);
        Assert.Equal(0.3, path.Loss.Share, 2);
        path.Run(6, fast: 40, slow: 20, usual: 32);
        Assert.True(path.Loss.IsShared);
        Assert.Equal(0, path.Loss.Share);
    }

    /// <summary>A line that a round of more than its rate overruns is not shared for that.</summary>
    [Fact]
    public void WhatTheFasterRoundLosesAloneIsNobodyElses()
    {
        var path = new Path();
        path.Run(50, fast: 30, slow: 10, usual: 10);
        Assert.False(path.Loss.IsShared);
        Assert.False(path.Loss.IsChance);
        Assert.Equal(0.1, path.Loss.Share, 3);
    }

    /// <summary>By round trips alone jitter looks like a queue, and what is lost by chance like a crowd.</summary>
    [Fact]
    public void ChanceIsKnownWhateverRoundTripsLookLike() => TestSeed.Run(20, seed =>
    {
        var random = new Random((int)seed);
        var path = new Path { HasQueue = true };
        int shared = 0, chance = 0;
        for (int i = 0; i < 100; i++)
        {
            path.Run(1, () => Enumerable.Range(0, Segments).Count(_ => random.NextDouble() < 0.15));
            shared += path.Loss.IsShared ? 1 : 0;
            chance += path.Loss.IsChance ? 1 : 0;
        }

        Assert.InRange(shared, 0, 5);
        Assert.InRange(chance, 50, 100);
        Assert.InRange(path.Loss.Share, 0.08, 0.22);
    });

    /// <summary>What was learnt of a path is not another's.</summary>
    [Fact]
    public void AnotherPathLosesNothingYet()
    {
        var path = new Path();
        path.Run(20, fast: 40, slow: 20, usual: 32);
        path.Loss.Forget();
        Assert.False(path.Loss.IsShared);
        Assert.Equal(0, path.Loss.Share);
    }

    private sealed class Path
    {
        private static readonly double[] Gains = [1.25, 0.75, 1, 1, 1, 1, 1, 1];

        private PathLoss _loss;
        private ulong _sent;

        public ref PathLoss Loss => ref _loss;

        public bool HasQueue { get; init; }

        /// <summary>Of each hundred transmissions so many are lost.</summary>
        public void Run(int cycles, int fast, int slow, int usual)
        {
            for (int i = 0; i < cycles * Gains.Length; i++)
            {
                double gain = Gains[i % Gains.Length];
                Round(gain, (gain > 1 ? fast : gain < 1 ? slow : usual) * Segments / 100);
            }
        }

        public void Run(int cycles, Func<int> lost)
        {
            for (int i = 0; i < cycles * Gains.Length; i++)
                Round(Gains[i % Gains.Length], lost());
        }

        /// <summary>So many are lost, as turns out before the round after the next is over.</summary>
        private void Round(double gain, int lost)
        {
            ulong from = _sent;
            _sent += Segments;
            _loss.EndRound(_sent, gain, HasQueue, 50);
            for (int i = 1; i <= lost; i++)
                _loss.OnLost(from + (ulong)i);
        }
    }
}
