namespace Tunnel.App.Runtime;

/// <summary>
/// What all sessions of the process hold together, and the ceiling for it. Sessions say what changes as they go. Near the ceiling the
/// windows that are granted become smaller; above it no session and no stream is taken. What was granted before is kept, so the ceiling
/// may be exceeded by that. Thread-safe.
/// </summary>
/// <param name="limit">In bytes.</param>
public sealed class MemoryBudget(long limit)
{
    /// <summary>The part of the machine's memory (the control group's, where there is one) that is taken unasked.</summary>
    private const int Share = 4;

    private const int MaximumShift = 12;

    private long _used;
    private long _limit = limit;

    /// <summary>Where windows begin to shrink, in percent of the ceiling, and the bits that each further step takes off them.</summary>
    private const int HighWater = 80, Step = 5, BitsPerStep = 2;

    public static MemoryBudget Unlimited { get; } = new(long.MaxValue);

    public long Limit
    {
        get => Volatile.Read(ref _limit);
        set => Volatile.Write(ref _limit, value);
    }

    /// <summary>Bytes held now.</summary>
    public long Used => Volatile.Read(ref _used);

    /// <summary>By how many bits windows granted now are smaller than configured: 0 below 80 %, then 2 more every 5 %.</summary>
    public int WindowShift
    {
        get
        {
            long percent = Used / Math.Max(1, Limit / 100);
            return percent < HighWater ? 0 : (int)Math.Min(MaximumShift, ((percent - HighWater) / Step + 1) * BitsPerStep);
        }
    }

    /// <summary>Whether another session or stream may begin.</summary>
    public bool HasRoom => Used < Limit;

    /// <param name="limit">In bytes; null for a quarter of what the process may use at all.</param>
    public static long LimitOf(long? limit) => limit ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / Share;

    /// <summary>Somebody holds that much more, or less.</summary>
    public void Move(long bytes) => Interlocked.Add(ref _used, bytes);
}
