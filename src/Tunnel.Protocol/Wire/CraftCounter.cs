namespace Tunnel.Protocol.Wire;

/// <summary>
/// What all segments of one capture handle share in the paqet wire format: the time at which the handle was opened and how many segments
/// it has crafted. Flows of one handle may be used from different threads, so the count is taken atomically.
/// </summary>
public sealed class CraftCounter
{
    private uint _count;

    /// <param name="start">The low 32 bits of the Unix time in milliseconds when the handle was opened.</param>
    /// <param name="count">Segments crafted so far.</param>
    public CraftCounter(uint start, uint count = 0)
    {
        Start = start;
        _count = count;
    }

    public uint Start { get; }

    /// <summary>The next segment's number; the first is 1, and after 2^32 - 1 comes 0.</summary>
    public uint Next() => Interlocked.Increment(ref _count);
}
