using Tunnel.Links.Host;
using Tunnel.Links.Native;
using Tunnel.Links.Sockets;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.Udp;

/// <summary>
/// Plain UDP, no privilege: datagrams, which the kernel takes and gives several at a time where it can. Addresses are the kernel's own
/// bytes: on a socket that listens on any address IPv4 peers appear as v4-mapped sockaddr_in6; <see cref="Send"/> takes those as well as
/// sockaddr_in.
/// </summary>
public sealed unsafe class UdpLink : IPacketLink
{
    private const int MemInfoFields = 9;
    private const int MemInfoDrops = 8;

    private readonly UdpReceiveBatch _batch;
    private readonly bool _ownsBatch;
    private readonly Action<string>? _notice;
    private readonly string? _interface;
    private readonly WakeEvent _wake = new();
    private readonly LinkMeter _meter = new();
    private readonly bool _v6;

    // Senders share the descriptor as readers do a book; closing it takes the writer's side, lest a late send go to another's descriptor.
    private readonly ReaderWriterLockSlim _descriptorGate = new();
    private readonly Lock _receiving = new();
    private readonly Lock _dropsGate = new();
    private LinkWatch? _watch;
    private WrappingCounter _drops;
    private int _descriptor = -1;
    private int _together = 1;

    private UdpLink(UdpOptions options, Action<string>? notice, UdpReceiveBatch? shared)
    {
        _interface = options.Interface;
        _notice = notice;
        _batch = shared ?? new UdpReceiveBatch();
        _ownsBatch = shared is null;
        try
        {
            (_descriptor, _v6) = UdpSocket.Open(options);
            if (options.Offload)
                AskForOffload();
        }
        catch
        {
            Dispose();
            throw;
        }

        LocalPort = UdpSocket.LocalPort(_descriptor);
    }

    /// <summary>Opens the link, or throws <see cref="LinkException"/>.</summary>
    /// <param name="options">Where to listen, and how.</param>
    /// <param name="notice">Told, in a sentence, that the kernel neither cuts nor merges here, and why. Any thread.</param>
    public static UdpLink Open(UdpOptions options, Action<string>? notice = null) => new(options, notice, null);

    /// <summary>A link that receives into buffers which another one, on the same thread, may use as well.</summary>
    internal static UdpLink Open(UdpOptions options, Action<string>? notice, UdpReceiveBatch shared) => new(options, notice, shared);

    public string Name => "udp";

    public LinkFraming Framing => LinkFraming.Datagram;

    public int MaxMergedLength => 0;

    public int MaxTogether => Volatile.Read(ref _together);

    /// <summary>For waiting on several links at once.</summary>
    internal int Descriptor => _descriptor;

    /// <summary>The port it listens on.</summary>
    public int LocalPort { get; }

    public LinkCounters Counters => _meter.Read(ReadKernelDrops());

    public int Receive(IFrameSink sink, int timeoutMilliseconds)
    {
        lock (_receiving)
        {
            ObjectDisposedException.ThrowIf(_descriptor < 0, this);
            int frames = Drain(sink);
            if (frames > 0 || timeoutMilliseconds == 0)
                return frames;

            (short events, bool woken) = _wake.Wait(_descriptor, timeoutMilliseconds);
            return events == 0 || (woken && (events & POLLIN) == 0) ? 0 : Drain(sink);
        }
    }

    public void Watch(LinkWatch? watch) => _watch = LinkWatch.Exchange(_watch, watch, _descriptor, _wake);

    public int Send(ReadOnlySpan<byte> run, int frameLength, ReadOnlySpan<byte> address)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(frameLength);
        scoped ReadOnlySpan<byte> target = address;
        Span<byte> mapped = stackalloc byte[SocketAddressBytes.V6Length];
        if (_v6 && SocketAddressBytes.Family(address) == AF_INET)
        {
            SocketAddressBytes.MapToV6(address, mapped);
            target = mapped;
        }

        UdpSendResult result;
        _descriptorGate.EnterReadLock();
        try
        {
            if (_descriptor < 0)
                return 0;
            result = UdpSender.SendRun(_descriptor, run, frameLength, target, MaxTogether);
        }
        finally
        {
            _descriptorGate.ExitReadLock();
        }

        _meter.Sent(result.Taken, result.Bytes, result.Refused);
        if (result.CutRefusal != 0)
            StopCutting(result.CutRefusal);
        return result.Taken;
    }

    public bool SendMerged(ReadOnlySpan<byte> frame, int headerLength, int segmentLength) =>
        throw new InvalidOperationException($"the {Name} link sends no merged frames");

    public int MtuTowards(ReadOnlySpan<byte> address) =>
        HostNetwork.LinkTowards(SocketAddressBytes.Address(address), _interface)?.Mtu ?? 0;

    public void Wake() => _wake.Set();

    public void Dispose()
    {
        _wake.Set();
        lock (_receiving)
        {
            Watch(null);
            _descriptorGate.EnterWriteLock();
            if (_descriptor >= 0)
                _ = Libc.Close(_descriptor);
            _descriptor = -1;
            _descriptorGate.ExitWriteLock();
            if (_ownsBatch)
                _batch.Dispose();
        }

        _wake.Dispose();
    }

    /// <summary>A kernel that does not know the option says so at once; what a device cannot is seen when it refuses a run.</summary>
    private void AskForOffload()
    {
        if (!Libc.TrySetOption(_descriptor, SOL_UDP, UDP_GRO, 1))
            _notice?.Invoke($"the kernel does not merge datagrams ({Libc.Describe(Libc.LastError)}): receiving them one by one");
        // 0: messages that say nothing are not cut.
        if (Libc.TrySetOption(_descriptor, SOL_UDP, UDP_SEGMENT, 0))
            _together = UdpSender.MaxTogether;
        else
            _notice?.Invoke($"the kernel does not cut runs of datagrams ({Libc.Describe(Libc.LastError)}): sending them one by one");
    }

    private void StopCutting(int error)
    {
        if (Interlocked.Exchange(ref _together, 1) != 1)
            _notice?.Invoke($"the kernel does not cut runs of datagrams on their way out ({Libc.Describe(error)}): sending them one by one from now on");
    }

    private int Drain(IFrameSink sink)
    {
        int count = _batch.Read(_descriptor);

        // An error here is a report about an earlier send (a peer's ICMP), or nothing to read: neither says anything about the socket.
        if (count <= 0)
            return 0;

        int delivered = 0;
        int datagrams = 0;
        long bytes = 0;
        for (int i = 0; i < count; i++)
        {
            if (_batch.IsTruncated(i))
            {
                _meter.CutShort(1);
                continue;
            }

            ReadOnlySpan<byte> message = _batch.Message(i);
            int segmentLength = _batch.SegmentLength(i);
            delivered++;
            datagrams += segmentLength == 0 ? 1 : (message.Length + segmentLength - 1) / segmentLength;
            bytes += message.Length;
            sink.OnFrame(message, _batch.Sender(i), segmentLength);
        }

        _meter.Received(datagrams, bytes);
        if (delivered > 0)
            sink.OnBatchEnd();
        return delivered;
    }

    private long ReadKernelDrops()
    {
        uint* fields = stackalloc uint[MemInfoFields];
        uint length = MemInfoFields * sizeof(uint);
        lock (_dropsGate)
        {
            _descriptorGate.EnterReadLock();
            bool known = _descriptor >= 0 && Libc.GetSocketOption(_descriptor, SOL_SOCKET, SO_MEMINFO, fields, &length) == 0;
            _descriptorGate.ExitReadLock();
            if (known && length >= (MemInfoDrops + 1) * sizeof(uint))
                _drops.Observe(fields[MemInfoDrops]);
            return _drops.Total;
        }
    }
}
