namespace Tunnel.Ctl.Bench;

/// <summary>What one worker did within the window. One writer; read when the worker has ended.</summary>
internal sealed class Tally
{
    public LatencyHistogram Latency { get; } = new();

    /// <summary>From the first SYN to the connection's being usable, a proxy's answer included.</summary>
    public LatencyHistogram Connect { get; } = new();

    public long Operations { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>Due by the schedule, or stuck, and not done when the window closed.</summary>
    public long Unfinished { get; private set; }

    public Dictionary<LoadError, long> Errors { get; } = [];

    public void CountOperation(long nanoseconds, long bytes)
    {
        Operations++;
        Bytes += bytes;
        Latency.Record(nanoseconds);
    }

    /// <summary>What is late must not be missing from the percentiles: so long at least it would have taken.</summary>
    public void CountUnfinished(long nanosecondsSoFar)
    {
        Unfinished++;
        Latency.Record(nanosecondsSoFar);
    }

    public void CountError(LoadError kind) => Errors[kind] = Errors.GetValueOrDefault(kind) + 1;

    public void Add(Tally other)
    {
        Latency.Add(other.Latency);
        Connect.Add(other.Connect);
        Operations += other.Operations;
        Bytes += other.Bytes;
        Unfinished += other.Unfinished;
        foreach ((LoadError kind, long count) in other.Errors)
            Errors[kind] = Errors.GetValueOrDefault(kind) + count;
    }
}
