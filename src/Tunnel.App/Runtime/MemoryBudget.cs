namespace Tunnel.App.Runtime;

/// <summary>
/// What all sessions of the process hold together, and the ceiling for it. Sessions say what changes as they go; a new one is taken
/// while there is room. Those that are there keep what their own windows allow, so the ceiling may be exceeded by what they grow.
/// Thread-safe.
/// </summary>
/// <param name="limit">In bytes.</param>
public sealed class MemoryBudget(long limit)
{
    /// <summary>The part of the machine's memory (the control group's, where there is one) that is taken unasked.</summary>
    private const int Share = 4;

    private long _used;
    private long _limit = limit;

    public static MemoryBudget Unlimited { get; } = new(long.MaxValue);

    public long Limit
    {
        get => Volatile.Read(ref _limit);
        set => Volatile.Write(ref _limit, value);
    }

    /// <summary>Bytes held now.</summary>
    public long Used => Volatile.Read(ref _used);

    /// <summary>Whether another session may begin.</summary>
    public bool HasRoom => Used < Limit;

    /// <param name="limit">In bytes; null for a quarter of what the process may use at all.</param>
    public static long LimitOf(long? limit) => limit ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / Share;

    /// <summary>Somebody holds that much more, or less.</summary>
    public void Move(long bytes) => Interlocked.Add(ref _used, bytes);
}
