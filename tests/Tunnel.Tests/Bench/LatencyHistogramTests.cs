using Tunnel.Ctl.Bench;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Bench;

public class LatencyHistogramTests
{
    [Fact]
    public void NothingIsZero()
    {
        var empty = new LatencyHistogram();
        Assert.Equal((0L, 0L, 0L, 0d, 0d), (empty.Minimum, empty.Percentile(0.5), empty.Maximum, empty.Mean, empty.StandardDeviation));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(257)]
    [InlineData(511)]
    [InlineData(512)]
    [InlineData(1_000_000)]
    [InlineData((1L << 37) - 1)]
    [InlineData(1L << 37)]
    [InlineData(1L << 50)]
    public void OneValueIsEveryPercentile(long value)
    {
        var one = new LatencyHistogram();
        one.Record(value);
        foreach (double share in (double[])[0, 0.5, 0.999, 1])
            Assert.Equal(value, one.Percentile(share));
    }

    [Fact]
    public void PercentilesAreThoseOfTheSortedValuesWithinTheBucketsWidth() => TestSeed.Run(10, seed =>
    {
        var random = new Random((int)seed);
        long[] values = [.. Enumerable.Range(0, 20_000).Select(_ => (long)Math.Exp(random.NextDouble() * 24))];
        var histogram = new LatencyHistogram();
        foreach (long value in values)
            histogram.Record(value);
        Array.Sort(values);
        foreach (double share in (double[])[0.001, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1])
        {
            long exact = values[Math.Max(0, (int)Math.Ceiling(share * values.Length) - 1)];
            Assert.InRange(histogram.Percentile(share), exact - exact / 256 - 1, exact + exact / 256 + 1);
        }

        Assert.Equal(values.Average(), histogram.Mean, 6);
        Assert.Equal((values[0], values[^1]), (histogram.Minimum, histogram.Maximum));
    });

    [Fact]
    public void TwoAddedAreOneOfBoth() => TestSeed.Run(10, seed =>
    {
        var random = new Random((int)seed);
        LatencyHistogram a = new(), b = new(), both = new();
        for (int i = 0; i < 1000; i++)
        {
            long value = random.NextInt64(1, 10_000_000);
            (i % 3 == 0 ? a : b).Record(value);
            both.Record(value);
        }

        a.Add(b);
        Assert.Equal(both.Count, a.Count);
        Assert.Equal(both.Percentile(0.95), a.Percentile(0.95));
        Assert.Equal(both.StandardDeviation, a.StandardDeviation, 3);
        Assert.Equal((both.Minimum, both.Maximum), (a.Minimum, a.Maximum));
    });
}
