using Tunnel.Protocol.Primitives;

namespace Tunnel.Tests.Primitives;

public class HistogramTests
{
    [Fact]
    public void BoundsGrowByHalvesOfADoubling() =>
        Assert.Equal([0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32], Histogram.Bounds[..11].ToArray());

    /// <summary>Every value lies in the first bucket whose bound is not below it: compared with a search.</summary>
    [Fact]
    public void AValueIsInTheFirstBucketThatHoldsIt()
    {
        long[] bounds = Histogram.Bounds.ToArray();
        IEnumerable<long> values = Enumerable.Range(-2, 5000).Select(v => (long)v)
            .Concat(bounds.SelectMany(b => new[] { b - 1, b, b + 1 })).Concat([long.MaxValue, long.MinValue]);
        foreach (long value in values)
        {
            int expected = Array.FindIndex(bounds, b => value <= b);
            Assert.Equal(expected < 0 ? bounds.Length : expected, Histogram.BucketOf(value));
        }
    }

    [Fact]
    public void SumsAddUp()
    {
        Histogram a = new(), b = new();
        a.Add(3);
        a.Add(-7);
        b.Add(1_000_000);
        HistogramSum sum = new(), twice = new();
        a.AddTo(sum);
        b.AddTo(sum);
        twice.Add(sum);
        twice.Add(sum);
        Assert.Equal((3, 1_000_003), (sum.Count, sum.Sum));
        Assert.Equal((6, 2_000_006), (twice.Count, twice.Sum));
        Assert.Equal((1, 1, 1), (sum.Counts[0], sum.Counts[3], sum.Counts[^1]));
    }
}
