using System.Numerics;

namespace Tunnel.Protocol.Primitives;

/// <summary>
/// How often values of which size came: plain counters in buckets whose bounds grow by half steps of a doubling (0, 1, 2, 3, 4, 6, 8,
/// 12, 16, ...). One owner adds; who reads meanwhile sees each counter whole.
/// </summary>
public sealed class Histogram
{
    private static readonly long[] Limits = CreateBounds();

    private readonly long[] _counts = new long[Limits.Length + 1];
    private long _sum;

    /// <summary>The largest value of each bucket but the last, which has no bound.</summary>
    public static ReadOnlySpan<long> Bounds => Limits;

    /// <summary>Counts one value; negative ones count as 0.</summary>
    public void Add(long value)
    {
        _counts[BucketOf(value)]++;
        _sum += Math.Max(0, value);
    }

    /// <summary>Adds what was counted here to a sum of several.</summary>
    public void AddTo(HistogramSum sum)
    {
        for (int i = 0; i < _counts.Length; i++)
            sum.Counts[i] += _counts[i];
        sum.Sum += _sum;
    }

    internal static int BucketOf(long value)
    {
        if (value <= 2)
            return (int)Math.Max(0, value);
        // A bound belongs to the bucket below it, hence the one less; the bit behind the highest tells the halves of a doubling.
        ulong below = (ulong)value - 1;
        int log = BitOperations.Log2(below);
        int half = (int)(below >> (log - 1)) & 1;
        return Math.Min(2 * log + half + 1, Limits.Length);
    }

    private static long[] CreateBounds()
    {
        const int Doublings = 16;
        List<long> bounds = [0, 1, 2];
        for (int i = 1; i < Doublings; i++)
            bounds.AddRange([3L << (i - 1), 4L << (i - 1)]);
        return [.. bounds];
    }
}

/// <summary>What several histograms counted together. One owner.</summary>
public sealed class HistogramSum
{
    /// <summary>One more than there are bounds.</summary>
    public long[] Counts { get; } = new long[Histogram.Bounds.Length + 1];

    /// <summary>All values together.</summary>
    public long Sum { get; set; }

    /// <summary>How many values.</summary>
    public long Count => Counts.Sum();

    public void Add(HistogramSum other)
    {
        for (int i = 0; i < Counts.Length; i++)
            Counts[i] += other.Counts[i];
        Sum += other.Sum;
    }
}
