using Tunnel.App.Runtime.Traffic;

namespace Tunnel.App.Runtime;

/// <summary>
/// What all sessions of the process hold together, and the ceiling for it. Sessions say what changes as they go. Near the ceiling the
/// windows that are granted become smaller; above it no session and no stream is taken. What was granted before is kept, so the ceiling
/// may be exceeded by that. Thread-safe.
/// </summary>
/// <remarks>
/// Sessions keep what they have used for a while, because they will want it again. Not while memory is short: at the first refusal of a
/// shortage all are asked to give it back, and until its end each does at the end of every turn, so that nobody has to be asked again.
/// </remarks>
/// <param name="limit">In bytes.</param>
/// <param name="sessions">Those that hold it; null for none that could give any back.</param>
public sealed class MemoryBudget(long limit, TrafficLedger? sessions = null)
{
    /// <summary>The part of the machine's memory (the control group's, where there is one) that is taken unasked.</summary>
    private const int Share = 4;

    private const int MaximumShift = 12;

    private readonly Lock _asking = new();
    private long _used;
    private long _limit = limit;
    private volatile bool _asked;

    /// <summary>Where windows begin to shrink, in percent of the ceiling, and the bits that each further step takes off them.</summary>
    private const int HighWater = 80, Step = 5, BitsPerStep = 2;

    public static MemoryBudget Unlimited { get; } = new(long.MaxValue);

    public long Limit
    {
        get => Volatile.Read(ref _limit);
        set
        {
            Volatile.Write(ref _limit, value);
            _asked = false;
        }
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

    /// <summary>The ceiling is not reached.</summary>
    public bool HasRoom => Used < Limit;

    /// <param name="limit">In bytes; null for a quarter of what the process may use at all.</param>
    public static long LimitOf(long? limit) => limit ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / Share;

    /// <summary>Whether another session or stream may begin. At the ceiling, what sessions hold and do not use is given back first.</summary>
    public bool MakeRoom()
    {
        if (HasRoom)
            return true;
        // Whoever comes meanwhile waits for the outcome. Sessions that are asked wait for nobody.
        lock (_asking)
        {
            if (!_asked)
                sessions?.Reclaim();
            _asked = !HasRoom;
            return !_asked;
        }
    }

    /// <summary>Somebody holds that much more, or less.</summary>
    public void Move(long bytes)
    {
        if (Interlocked.Add(ref _used, bytes) < Limit)
            _asked = false;
    }
}
