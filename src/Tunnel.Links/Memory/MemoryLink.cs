using System.Diagnostics;
using System.Net;
using Tunnel.Links.Native;
using Tunnel.Links.Sockets;

namespace Tunnel.Links.Memory;

/// <summary>
/// One end of a pair of links inside the process, under real time, with a <see cref="MemoryWire"/> in each direction. Every datagram
/// goes to the other end, whatever address it is sent to, and comes from that end's address.
/// </summary>
public sealed class MemoryLink : IPacketLink
{
    private const int BatchLimit = 64;
    private const int LongestDatagram = 65535;
    private const long NanosecondsPerMillisecond = 1_000_000;

    private readonly Direction _out;
    private readonly Direction _in;
    private readonly byte[] _localAddress;
    private readonly byte[] _remoteAddress;
    private readonly byte[] _scratch = new byte[LongestDatagram];
    private readonly LinkMeter _meter = new();
    private bool _woken;
    private bool _disposed;

    private MemoryLink(Direction outward, Direction inward, byte[] localAddress, byte[] remoteAddress)
    {
        _out = outward;
        _in = inward;
        _localAddress = localAddress;
        _remoteAddress = remoteAddress;
    }

    /// <summary>
    /// Two ends that reach each other. Each direction has its own copy of <paramref name="options"/>, to be changed through
    /// <see cref="ChangeOutgoing"/>.
    /// </summary>
    public static (MemoryLink Left, MemoryLink Right) CreatePair(MemoryWireOptions options, ulong seed)
    {
        long epoch = Stopwatch.GetTimestamp();
        var rightward = new Direction(new MemoryWire(options.Clone(), seed), epoch);
        var leftward = new Direction(new MemoryWire(options.Clone(), ~seed), epoch);
        byte[] left = Address(IPAddress.Parse("127.77.0.1"));
        byte[] right = Address(IPAddress.Parse("127.77.0.2"));
        return (new MemoryLink(rightward, leftward, left, right), new MemoryLink(leftward, rightward, right, left));
    }

    public string Name => "memory";

    public LinkFraming Framing => LinkFraming.Datagram;

    public int MaxMergedLength => 0;

    /// <summary>This end's address, a sockaddr_in of 127.0.0.0/8 that no socket has.</summary>
    public ReadOnlySpan<byte> LocalAddress => _localAddress;

    /// <summary>The other end's address.</summary>
    public ReadOnlySpan<byte> RemoteAddress => _remoteAddress;

    public LinkCounters Counters => _meter.Read(0);

    /// <summary>What the wire did to the datagrams that this end sent.</summary>
    public MemoryWireCounters OutgoingWire
    {
        get
        {
            lock (_out.Gate)
                return _out.Wire.Counters;
        }
    }

    /// <summary>Changes the faults of the wire that leads away from this end, safely while it is in use.</summary>
    public void ChangeOutgoing(Action<MemoryWireOptions> change)
    {
        lock (_out.Gate)
            change(_out.Wire.Options);
    }

    public int Receive(IFrameSink sink, int timeoutMilliseconds)
    {
        if (!WaitForArrival(timeoutMilliseconds))
        {
            Rearm();
            return 0;
        }

        int frames = 0;
        long bytes = 0;
        while (frames < BatchLimit && TryTake(out int length))
        {
            // Outside the lock: the sink may send, and the other end's sink may do so at the same time.
            sink.OnFrame(_scratch.AsSpan(0, length), _remoteAddress, 0);
            frames++;
            bytes += length;
        }

        _meter.Received(frames, bytes);
        if (frames > 0)
            sink.OnBatchEnd();
        Rearm();
        return frames;
    }

    public void Watch(LinkWatch? watch)
    {
        lock (_in.Gate)
            _in.Watch(_disposed ? null : watch);
    }

    public int Send(ReadOnlySpan<byte> run, int frameLength, ReadOnlySpan<byte> address)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(frameLength);
        int frames = 0;
        lock (_out.Gate)
        {
            if (_disposed)
                return 0;
            long now = _out.Now;
            for (ReadOnlySpan<byte> rest = run; !rest.IsEmpty; rest = rest[Math.Min(frameLength, rest.Length)..], frames++)
                _out.Wire.Offer(rest[..Math.Min(frameLength, rest.Length)], now);
            Monitor.PulseAll(_out.Gate);
            _out.Arm();
        }

        _meter.Sent(frames, run.Length, 0);
        return frames;
    }

    public bool SendMerged(ReadOnlySpan<byte> frame, int headerLength, int segmentLength) =>
        throw new InvalidOperationException($"the {Name} link sends no merged frames");

    public int MtuTowards(ReadOnlySpan<byte> address) => LongestDatagram;

    public void Wake()
    {
        lock (_in.Gate)
        {
            _woken = true;
            Monitor.PulseAll(_in.Gate);
            _in.ArmNow();
        }
    }

    public void Dispose()
    {
        Volatile.Write(ref _disposed, true);
        Watch(null);
        Wake();
    }

    private bool WaitForArrival(int timeoutMilliseconds)
    {
        lock (_in.Gate)
        {
            long deadline = timeoutMilliseconds < 0 ? long.MaxValue : _in.Now + (timeoutMilliseconds * NanosecondsPerMillisecond);
            while (true)
            {
                ObjectDisposedException.ThrowIf(_disposed, this);
                long now = _in.Now;
                if (_in.Wire.NextArrival <= now)
                    return true;
                if (now >= deadline)
                    return false;
                if (_woken)
                {
                    _woken = false;
                    return false;
                }

                long nanoseconds = Math.Min(deadline, _in.Wire.NextArrival) - now;
                Monitor.Wait(_in.Gate, (int)Math.Clamp(nanoseconds / NanosecondsPerMillisecond, 1, 1000));
            }
        }
    }

    /// <summary>The watch's timer has fired, or will at another time: what came meanwhile, or is to come, is told.</summary>
    private void Rearm()
    {
        lock (_in.Gate)
            _in.Arm();
    }

    private bool TryTake(out int length)
    {
        lock (_in.Gate)
            return _in.Wire.TryTake(_in.Now, _scratch, out length);
    }

    private static byte[] Address(IPAddress address)
    {
        byte[] bytes = new byte[SocketAddressBytes.V6Length];
        return bytes[..SocketAddressBytes.Write(address, 9, bytes)];
    }

    /// <summary>A wire with the lock that guards it and the clock that drives it.</summary>
    private sealed class Direction(MemoryWire wire, long epoch)
    {
        private LinkWatch? _watch;
        private WakeTimer? _timer;

        // A plain object and not a Lock: receivers wait on it.
        internal object Gate { get; } = new();

        internal MemoryWire Wire { get; } = wire;

        internal long Now => Stopwatch.GetElapsedTime(epoch).Ticks * 100;

        /// <summary>Null ends it. The gate is held for this and the others.</summary>
        internal void Watch(LinkWatch? watch)
        {
            if (_timer is not null)
                _watch!.Remove(_timer.Descriptor);
            _timer?.Dispose();
            _timer = watch is null ? null : new WakeTimer();
            _watch = watch;
            if (_timer is not null)
                watch!.Add(_timer.Descriptor, isSignal: true);
            Arm();
        }

        /// <summary>Tells when the next datagram arrives.</summary>
        internal void Arm()
        {
            if (_timer is not null && Wire.NextArrival != long.MaxValue)
                _timer.Set(Wire.NextArrival - Now);
        }

        /// <summary>Tells at once.</summary>
        internal void ArmNow() => _timer?.Set(0);
    }
}
