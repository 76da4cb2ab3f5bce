using Tunnel.Links.Host;
using Tunnel.Links.Native;
using Tunnel.Links.Sockets;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.AfPacket;

/// <summary>
/// Linux's fast Ethernet link: a packet socket with virtio headers. A burst of one TCP flow leaves as one long frame that the device, or
/// at worst the kernel, cuts; what the kernel or the device merged on the way in arrives as one, together with the length of its parts.
/// </summary>
public sealed class AfPacketLink : IPacketLink
{
    // Devices cut frames of less than 64 KiB, Ethernet header included; longer ones the kernel would cut for them.
    private const int LongestMerged = 65535;
    private const int ShortestHeaders = 54;

    private readonly AfPacketOptions _options;
    private readonly Action<string>? _notice;
    private readonly WatchedInterface _interface;
    private readonly AfPacketReceiveBatch _batch = new();
    private readonly WakeEvent _wake = new();
    private readonly LinkMeter _meter = new();

    // Senders share the descriptor as readers do a book; closing it takes the writer's side, lest a late send go to another's descriptor.
    private readonly ReaderWriterLockSlim _descriptorGate = new();
    private readonly Lock _receiving = new();
    private LinkWatch? _watch;
    private int _descriptor = -1;
    private int _maxMergedLength = LongestMerged;
    private long _kernelDrops;

    private AfPacketLink(AfPacketOptions options, Action<string>? notice)
    {
        _options = options;
        _notice = notice;
        _interface = new WatchedInterface(options.Interface, _wake);
        try
        {
            RequireInterface();
            _descriptor = AfPacketSocket.Open(options, _interface.Index);
            if (options.BypassQueue && !InterfaceProbe.Offloads(options.Interface).Tso)
                StopMerging("it does not cut them itself, and past the queue the kernel does not either");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Opens the link, or throws <see cref="LinkException"/>.</summary>
    /// <param name="options">What to capture, and how.</param>
    /// <param name="notice">Told, in a sentence, of what a person may want to know: that merged frames are refused. Any thread.</param>
    public static AfPacketLink Open(AfPacketOptions options, Action<string>? notice = null) => new(options, notice);

    /// <summary>
    /// Opens several links for the same frames: each flow's arrive at one of them, so that as many threads can receive. Where the kernel
    /// does not share them out, it is one link, and <paramref name="notice"/> is told. Opens all of them, or throws
    /// <see cref="LinkException"/>.
    /// </summary>
    public static IReadOnlyList<AfPacketLink> OpenGroup(AfPacketOptions options, int count, Action<string>? notice = null)
    {
        List<AfPacketLink> links = [];
        try
        {
            int? group = null;
            while (links.Count < count)
            {
                links.Add(Open(options, notice));
                // Until it has joined, a link sees every frame: a session takes a datagram once, however often it comes.
                int joined = count == 1 ? 0 : AfPacketSocket.Join(links[^1]._descriptor, group);
                group ??= joined;
                if (joined >= 0)
                    continue;
                KeepOne(links, -joined, notice);
                break;
            }

            return links;
        }
        catch
        {
            links.ForEach(l => l.Dispose());
            throw;
        }
    }

    public string Name => "afpacket";

    public LinkFraming Framing => LinkFraming.Ethernet;

    public int MaxMergedLength => Volatile.Read(ref _maxMergedLength);

    public LinkCounters Counters => _meter.Read(ReadKernelDrops());

    public int Receive(IFrameSink sink, int timeoutMilliseconds)
    {
        lock (_receiving)
        {
            ObjectDisposedException.ThrowIf(_descriptor < 0, this);
            int frames = Drain(sink);
            if (frames > 0)
                return frames;

            (short events, bool woken) = timeoutMilliseconds == 0 ? default : _wake.Wait(_descriptor, timeoutMilliseconds);
            if (_interface.IsSuspect || (events != 0 && (events & POLLIN) == 0))
                _interface.Require();
            return timeoutMilliseconds == 0 || (woken && events == 0) ? 0 : Drain(sink);
        }
    }

    public void Watch(LinkWatch? watch) => _watch = LinkWatch.Exchange(_watch, watch, _descriptor, _wake);

    public int Send(ReadOnlySpan<byte> run, int frameLength, ReadOnlySpan<byte> address)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(frameLength);
        _descriptorGate.EnterReadLock();
        try
        {
            if (_descriptor < 0)
                return 0;
            SendResult result = AfPacketSender.SendRun(_descriptor, run, frameLength);
            _meter.Sent(result.Frames, result.Bytes, result.Refused);
            return result.Frames;
        }
        finally
        {
            _descriptorGate.ExitReadLock();
        }
    }

    public bool SendMerged(ReadOnlySpan<byte> frame, int headerLength, int segmentLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(headerLength, ShortestHeaders);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(headerLength, frame.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(frame.Length, LongestMerged);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(segmentLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(segmentLength, LongestMerged);
        int payload = frame.Length - headerLength;
        int segments = Math.Max(1, (payload + segmentLength - 1) / segmentLength);
        int error = TrySendMerged(frame, headerLength, segmentLength);
        if (error == 0)
            _meter.Sent(segments, payload + ((long)segments * headerLength), 0);
        else
            MergedRefused(error, segments);
        return error == 0;
    }

    public int MtuTowards(ReadOnlySpan<byte> address) => InterfaceProbe.Mtu(_options.Interface);

    public void Wake() => _wake.Set();

    public void Dispose()
    {
        _interface.Dispose();
        _wake.Set();
        lock (_receiving)
        {
            Watch(null);
            _descriptorGate.EnterWriteLock();
            if (_descriptor >= 0)
                _ = Libc.Close(_descriptor);
            _descriptor = -1;
            _descriptorGate.ExitWriteLock();
            _batch.Dispose();
        }

        _wake.Dispose();
    }

    private static void KeepOne(List<AfPacketLink> links, int error, Action<string>? notice)
    {
        for (; links.Count > 1; links.RemoveAt(links.Count - 1))
            links[^1].Dispose();
        notice?.Invoke($"{links[0]._options.Interface}: the kernel does not share flows out ({Libc.Describe(error)}): one receiver does all the work");
    }

    private int TrySendMerged(ReadOnlySpan<byte> frame, int headerLength, int segmentLength)
    {
        _descriptorGate.EnterReadLock();
        try
        {
            if (_descriptor < 0)
                return ENODEV;
            return MaxMergedLength == 0 ? EOPNOTSUPP : AfPacketSender.SendMerged(_descriptor, frame, headerLength, segmentLength);
        }
        finally
        {
            _descriptorGate.ExitReadLock();
        }
    }

    private void MergedRefused(int error, int segments)
    {
        _meter.Sent(0, 0, segments);

        // The frame itself is not to blame, its caller makes them all alike: neither will the next one pass.
        if (error == EINVAL)
            StopMerging(Libc.Describe(error));
    }

    private void StopMerging(string reason)
    {
        if (Interlocked.Exchange(ref _maxMergedLength, 0) != 0)
            _notice?.Invoke($"{_options.Interface} takes no merged frames ({reason}): sending them one by one from now on");
    }

    private int Drain(IFrameSink sink)
    {
        int count = _batch.Read(_descriptor);
        if (count <= 0)
        {
            if (-count == ENETDOWN)
                _interface.Require();
            return 0;
        }

        int delivered = 0;
        long bytes = 0;
        for (int i = 0; i < count; i++)
        {
            if (_batch.IsTruncated(i))
            {
                _meter.CutShort(1);
                continue;
            }

            ReadOnlySpan<byte> frame = _batch.Frame(i);
            delivered++;
            bytes += frame.Length;
            sink.OnFrame(frame, default, _batch.SegmentLength(i));
        }

        _meter.Received(delivered, bytes);
        if (delivered > 0)
            sink.OnBatchEnd();
        return delivered;
    }

    /// <summary>A packet socket may be bound to an interface that is down, and would receive nothing.</summary>
    private void RequireInterface()
    {
        string name = _interface.Name;
        if (_interface.Index == 0)
        {
            throw new LinkException(
                LinkFault.Network,
                $"there is no interface {name}: `ip link` lists those that exist; one that comes later will be found then");
        }

        if (!InterfaceProbe.IsUp(name))
            throw new LinkException(LinkFault.Network, $"interface {name} is down: `ip link set {name} up`");
    }

    private long ReadKernelDrops()
    {
        _descriptorGate.EnterReadLock();
        try
        {
            uint drops = _descriptor >= 0 ? AfPacketSocket.TakeDrops(_descriptor) : 0;
            return Interlocked.Add(ref _kernelDrops, drops);
        }
        finally
        {
            _descriptorGate.ExitReadLock();
        }
    }
}
