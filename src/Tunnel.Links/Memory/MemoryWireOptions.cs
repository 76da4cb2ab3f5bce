namespace Tunnel.Links.Memory;

/// <summary>
/// What a <see cref="MemoryWire"/> does to datagrams. May be changed while the wire is in use, by whoever owns the wire: what is already
/// on its way arrives as it was decided when it was offered. Probabilities are from 0 to 1, times are nanoseconds.
/// </summary>
public sealed class MemoryWireOptions
{
    /// <summary>How long a datagram travels.</summary>
    public long DelayNanoseconds { get; set; }

    /// <summary>Up to this much more, evenly spread. Keeps the order: for the other thing there is <see cref="Reorder"/>.</summary>
    public long JitterNanoseconds { get; set; }

    /// <summary>Probability that a datagram is lost, each on its own.</summary>
    public double Loss { get; set; }

    /// <summary>Probability, for each datagram, that a burst of losses begins (Gilbert-Elliott: good to bad).</summary>
    public double BurstBegin { get; set; }

    /// <summary>Probability, for each datagram, that the burst ends (bad to good); its inverse is the mean length.</summary>
    public double BurstEnd { get; set; } = 0.25;

    /// <summary>Probability of loss within a burst.</summary>
    public double BurstLoss { get; set; } = 1;

    /// <summary>Probability that a datagram arrives twice.</summary>
    public double Duplicate { get; set; }

    /// <summary>Probability that a datagram is held back by <see cref="ReorderDelayNanoseconds"/> while others pass it.</summary>
    public double Reorder { get; set; }

    /// <summary>How long a datagram that is held back is late.</summary>
    public long ReorderDelayNanoseconds { get; set; } = 2_000_000;

    /// <summary>Probability that one bit of a datagram is wrong.</summary>
    public double Corrupt { get; set; }

    /// <summary>Bits per second that the wire carries; 0 for no limit.</summary>
    public long BitsPerSecond { get; set; }

    /// <summary>With a rate limit: bytes that may wait for the wire; what comes on top is lost.</summary>
    public int QueueBytes { get; set; } = 256 * 1024;

    /// <summary>Bytes of the longest datagram that passes; longer ones vanish without a word. 0 for no limit.</summary>
    public int Mtu { get; set; }

    /// <summary>Bytes that may be on their way, whatever the delay; what comes on top is lost, as in a full queue.</summary>
    public long MaximumBytesInFlight { get; set; } = long.MaxValue;

    /// <summary>Times at which everything that is offered is lost.</summary>
    public IReadOnlyList<Blackout> Blackouts { get; set; } = [];

    /// <summary>From now on nothing is lost, doubled, reordered or corrupted; delay, rate and MTU stay.</summary>
    public void StopFaults()
    {
        JitterNanoseconds = 0;
        Loss = 0;
        BurstBegin = 0;
        BurstEnd = 1;
        BurstLoss = 0;
        Duplicate = 0;
        Reorder = 0;
        Corrupt = 0;
        Blackouts = [];
    }

    /// <summary>A copy that can be changed on its own.</summary>
    public MemoryWireOptions Clone() => (MemoryWireOptions)MemberwiseClone();
}

/// <summary>A time without a wire: from its first nanosecond up to, and without, its last.</summary>
public readonly record struct Blackout(long StartNanoseconds, long EndNanoseconds)
{
    public bool Contains(long nanoseconds) => nanoseconds >= StartNanoseconds && nanoseconds < EndNanoseconds;
}

/// <summary>What a <see cref="MemoryWire"/> has done so far.</summary>
/// <param name="Offered">Datagrams given to it.</param>
/// <param name="Delivered">Datagrams taken from it, copies included.</param>
/// <param name="Lost">Lost by chance, alone or in bursts.</param>
/// <param name="BlackedOut">Lost in a blackout.</param>
/// <param name="TooLong">Lost because they were longer than the MTU.</param>
/// <param name="Overflowed">Lost because too much waited for the rate limit.</param>
/// <param name="Duplicated">Arrive twice.</param>
/// <param name="Reordered">Held back.</param>
/// <param name="Corrupted">Arrive with a wrong bit.</param>
public readonly record struct MemoryWireCounters(
    long Offered,
    long Delivered,
    long Lost,
    long BlackedOut,
    long TooLong,
    long Overflowed,
    long Duplicated,
    long Reordered,
    long Corrupted);
