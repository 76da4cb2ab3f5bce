namespace Tunnel.Links.Memory;

/// <summary>
/// One direction of a wire as a queue: datagrams go in with a time, and come out at a later one, or never, or twice. Pure and
/// deterministic: the same seed, options and calls give the same results on every machine. Not thread-safe; time does not go back.
/// </summary>
public sealed class MemoryWire
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    // Ordered by arrival; datagrams that arrive together keep the order in which they were offered.
    private readonly PriorityQueue<Flight, (long Arrival, long Serial)> _flights = new();
    private readonly Stack<byte[]> _free = new();
    private WireRandom _random;
    private long _serial;
    private long _lastArrival;
    private long _idleAt;
    private bool _inBurst;
    private long _bytesInFlight;
    private MemoryWireCounters _counters;

    public MemoryWire(MemoryWireOptions options, ulong seed)
    {
        Options = options;
        _random = new WireRandom(seed);
    }

    /// <summary>The faults and limits; change them when you like.</summary>
    public MemoryWireOptions Options { get; }

    public MemoryWireCounters Counters => _counters;

    /// <summary>Bytes on their way.</summary>
    public long BytesInFlight => _bytesInFlight;

    /// <summary>Datagrams on their way.</summary>
    public int InFlight => _flights.Count;

    /// <summary>When the next datagram arrives, in nanoseconds; <see cref="long.MaxValue"/> when none is on its way.</summary>
    public long NextArrival => _flights.TryPeek(out _, out (long Arrival, long Serial) key) ? key.Arrival : long.MaxValue;

    /// <summary>Puts a datagram on the wire.</summary>
    /// <param name="datagram">Copied.</param>
    /// <param name="nowNanoseconds">On the owner's clock.</param>
    /// <param name="tag">Comes out with the datagram, and means nothing to the wire.</param>
    public void Offer(ReadOnlySpan<byte> datagram, long nowNanoseconds, ulong tag = 0)
    {
        _counters = _counters with { Offered = _counters.Offered + 1 };
        if (Options.Mtu > 0 && datagram.Length > Options.Mtu)
        {
            _counters = _counters with { TooLong = _counters.TooLong + 1 };
            return;
        }

        if (_bytesInFlight + datagram.Length > Options.MaximumBytesInFlight)
        {
            _counters = _counters with { Overflowed = _counters.Overflowed + 1 };
            return;
        }

        if (!TrySerialize(datagram.Length, nowNanoseconds, out long departure) || IsLost(nowNanoseconds))
            return;

        Launch(datagram, ArrivalOf(departure), tag);
        if (_random.Chance(Options.Duplicate))
        {
            _counters = _counters with { Duplicated = _counters.Duplicated + 1 };
            Launch(datagram, ArrivalOf(departure), tag);
        }
    }

    /// <summary>
    /// Takes the next datagram that has arrived by <paramref name="nowNanoseconds"/>. What is longer than
    /// <paramref name="destination"/> is cut.
    /// </summary>
    public bool TryTake(long nowNanoseconds, Span<byte> destination, out int length) =>
        TryTake(nowNanoseconds, destination, out length, out _);

    /// <inheritdoc cref="TryTake(long, Span{byte}, out int)"/>
    public bool TryTake(long nowNanoseconds, Span<byte> destination, out int length, out ulong tag)
    {
        length = 0;
        tag = 0;
        if (NextArrival > nowNanoseconds)
            return false;

        Flight flight = _flights.Dequeue();
        length = Math.Min(flight.Length, destination.Length);
        tag = flight.Tag;
        _bytesInFlight -= flight.Length;
        flight.Buffer.AsSpan(0, length).CopyTo(destination);
        _free.Push(flight.Buffer);
        _counters = _counters with { Delivered = _counters.Delivered + 1 };
        return true;
    }

    /// <summary>The rate limit: when the last bit has left the sender, or that the queue was full.</summary>
    private bool TrySerialize(int bytes, long now, out long departure)
    {
        departure = now;
        long rate = Options.BitsPerSecond;
        if (rate <= 0)
            return true;

        long start = Math.Max(now, _idleAt);
        Int128 waiting = (Int128)(start - now) * rate / (8 * NanosecondsPerSecond);
        if (waiting + bytes > Options.QueueBytes)
        {
            _counters = _counters with { Overflowed = _counters.Overflowed + 1 };
            return false;
        }

        departure = start + (long)((Int128)bytes * 8 * NanosecondsPerSecond / rate);
        _idleAt = departure;
        return true;
    }

    private bool IsLost(long now)
    {
        // By index: an enumerator of the interface would be an allocation per datagram.
        IReadOnlyList<Blackout> blackouts = Options.Blackouts;
        for (int i = 0; i < blackouts.Count; i++)
        {
            if (!blackouts[i].Contains(now))
                continue;
            _counters = _counters with { BlackedOut = _counters.BlackedOut + 1 };
            return true;
        }

        _inBurst = _inBurst ? !_random.Chance(Options.BurstEnd) : _random.Chance(Options.BurstBegin);
        if (!_random.Chance(Options.Loss) && !(_inBurst && _random.Chance(Options.BurstLoss)))
            return false;
        _counters = _counters with { Lost = _counters.Lost + 1 };
        return true;
    }

    private long ArrivalOf(long departure)
    {
        long arrival = departure + Options.DelayNanoseconds;
        if (Options.JitterNanoseconds > 0)
            arrival += _random.Next(Options.JitterNanoseconds + 1);
        if (_random.Chance(Options.Reorder))
        {
            _counters = _counters with { Reordered = _counters.Reordered + 1 };
            return arrival + Options.ReorderDelayNanoseconds;
        }

        _lastArrival = Math.Max(arrival, _lastArrival);
        return _lastArrival;
    }

    private void Launch(ReadOnlySpan<byte> datagram, long arrival, ulong tag)
    {
        byte[] buffer = Rent(datagram.Length);
        datagram.CopyTo(buffer);
        if (datagram.Length > 0 && _random.Chance(Options.Corrupt))
        {
            _counters = _counters with { Corrupted = _counters.Corrupted + 1 };
            int bit = (int)_random.Next(datagram.Length * 8L);
            buffer[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        _bytesInFlight += datagram.Length;
        _flights.Enqueue(new Flight(buffer, datagram.Length, tag), (arrival, _serial++));
    }

    private byte[] Rent(int length)
    {
        const int usual = 2048;
        if (_free.TryPop(out byte[]? buffer) && buffer.Length >= length)
            return buffer;
        return new byte[Math.Max(length, usual)];
    }

    private readonly record struct Flight(byte[] Buffer, int Length, ulong Tag);
}
