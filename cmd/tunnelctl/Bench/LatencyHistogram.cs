using System.Numerics;

namespace Tunnel.Ctl.Bench;

/// <summary>
/// Durations in nanoseconds, counted in buckets whose width grows with the value: two significant digits and better (an error of at most
/// 1 in 256), up to two minutes, in 16 KiB. Smallest, largest, sum and sum of squares are exact. One writer.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 8;
    private const int Linear = 1 << SubBits;
    private const int Half = Linear / 2;
    private const int TopBit = 37;
    private const int BucketCount = Linear + (TopBit - SubBits) * Half;

    private readonly int[] _buckets = new int[BucketCount];
    private double _sum;
    private double _squares;

    public long Count { get; private set; }

    /// <summary>The smallest value; 0 when there is none.</summary>
    public long Minimum { get; private set; }

    /// <summary>The largest value, exact even beyond the last bucket.</summary>
    public long Maximum { get; private set; }

    public double Mean => Count == 0 ? 0 : _sum / Count;

    /// <summary>Of the whole population.</summary>
    public double StandardDeviation => Count == 0 ? 0 : Math.Sqrt(Math.Max(0, _squares / Count - Mean * Mean));

    /// <param name="nanoseconds">Negative counts as 0: two processors' clocks may differ by a tick.</param>
    public void Record(long nanoseconds)
    {
        long value = Math.Max(0, nanoseconds);
        _buckets[IndexOf(value)]++;
        Minimum = Count == 0 ? value : Math.Min(Minimum, value);
        Maximum = Math.Max(Maximum, value);
        Count++;
        _sum += value;
        _squares += (double)value * value;
    }

    public void Add(LatencyHistogram other)
    {
        if (other.Count == 0)
            return;
        for (int i = 0; i < BucketCount; i++)
            _buckets[i] += other._buckets[i];
        Minimum = Count == 0 ? other.Minimum : Math.Min(Minimum, other.Minimum);
        Maximum = Math.Max(Maximum, other.Maximum);
        Count += other.Count;
        _sum += other._sum;
        _squares += other._squares;
    }

    /// <summary>The value that this share of all values does not exceed; 0 when there is none.</summary>
    /// <param name="share">From 0 to 1.</param>
    public long Percentile(double share)
    {
        if (Count == 0)
            return 0;
        long wanted = Math.Max(1, (long)Math.Ceiling(share * Count));
        long seen = 0;
        for (int i = 0; i < BucketCount; i++)
        {
            seen += _buckets[i];
            if (seen >= wanted)
                return i == BucketCount - 1 ? Maximum : Math.Clamp(MiddleOf(i), Minimum, Maximum);
        }

        return Maximum;
    }

    private static int IndexOf(long value)
    {
        if (value < Linear)
            return (int)value;
        int top = BitOperations.Log2((ulong)value);
        if (top >= TopBit)
            return BucketCount - 1;
        int shift = top - SubBits + 1;
        return Linear + (shift - 1) * Half + (int)(value >> shift) - Half;
    }

    private static long MiddleOf(int index)
    {
        if (index < Linear)
            return index;
        int shift = (index - Linear) / Half + 1;
        long mantissa = (index - Linear) % Half + Half;
        return (mantissa << shift) + (1L << (shift - 1));
    }
}
