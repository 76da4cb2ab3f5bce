using System.Diagnostics;
using Tunnel.Links.Memory;
using Tunnel.Links.Native;

namespace Tunnel.Links.Emulation;

/// <summary>
/// One direction of a bad network under real time: what is offered comes out of a <see cref="MemoryWire"/> on a thread of its own, when
/// its time has come. Any thread offers.
/// </summary>
public sealed class ImpairedPath : IDisposable
{
    private const int BatchLimit = 64;
    private const int BufferBytes = 1 << 20;
    private const int LongestFrame = 65536 + 256;
    private const long NanosecondsPerTick = 100;

    private readonly Lock _gate = new();
    private readonly MemoryWire _wire;
    private readonly DeliverBatch _deliver;
    private readonly WakeEvent _wake = new();
    private readonly Thread _thread;
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
    private readonly int[] _lengths = new int[BatchLimit];
    private readonly ulong[] _tags = new ulong[BatchLimit];
    private long _waitsUntil;
    private long _bytes;
    private volatile bool _stopped;

    /// <param name="options">The faults; its memory must be bounded.</param>
    /// <param name="seed">What they are drawn from.</param>
    /// <param name="deliver">Called on the path's own thread.</param>
    /// <param name="name">The thread's.</param>
    public ImpairedPath(MemoryWireOptions options, ulong seed, DeliverBatch deliver, string name)
    {
        _wire = new MemoryWire(options, seed);
        _deliver = deliver;
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>What the path did so far, and the bytes that it delivered.</summary>
    public (MemoryWireCounters Counters, long Bytes) Counters
    {
        get
        {
            lock (_gate)
                return (_wire.Counters, _bytes);
        }
    }

    /// <summary>Puts a datagram or frame on the path.</summary>
    public void Offer(ReadOnlySpan<byte> datagram, ulong tag)
    {
        bool earlier;
        lock (_gate)
        {
            _wire.Offer(datagram, Now, tag);
            earlier = _wire.NextArrival < _waitsUntil;
        }

        if (earlier)
            _wake.Set();
    }

    public void Dispose()
    {
        if (_stopped)
            return;
        _stopped = true;
        _wake.Set();
        _thread.Join();
        _wake.Dispose();
    }

    private static long Now => Stopwatch.GetElapsedTime(0).Ticks * NanosecondsPerTick;

    private void Run()
    {
        while (!_stopped)
        {
            int count = Take(out int length, out long wait);
            if (count > 0)
                _deliver(_buffer.AsSpan(0, length), _lengths.AsSpan(0, count), _tags.AsSpan(0, count));
            else
                _wake.Wait(wait);
        }
    }

    /// <summary>What is due, back to back; if nothing is, how long that will last.</summary>
    private int Take(out int length, out long wait)
    {
        int count = 0;
        length = 0;
        lock (_gate)
        {
            long now = Now;
            while (count < BatchLimit && BufferBytes - length >= LongestFrame
                && _wire.TryTake(now, _buffer.AsSpan(length), out _lengths[count], out _tags[count]))
            {
                length += _lengths[count++];
            }

            _bytes += length;
            long next = _wire.NextArrival;
            wait = next == long.MaxValue ? long.MaxValue : next - now;
            // While it delivers it looks again by itself.
            _waitsUntil = count > 0 ? 0 : next;
        }

        return count;
    }
}

/// <summary>Takes what has arrived: frames that lie back to back, with their lengths and tags.</summary>
public delegate void DeliverBatch(ReadOnlySpan<byte> frames, ReadOnlySpan<int> lengths, ReadOnlySpan<ulong> tags);
