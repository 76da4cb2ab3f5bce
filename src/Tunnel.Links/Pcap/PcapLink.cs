using Tunnel.Links.Host;
using Tunnel.Links.Native;
using Tunnel.Links.Sockets;

namespace Tunnel.Links.Pcap;

/// <summary>
/// The portable Ethernet link: libpcap's ring for receiving, one injection per frame for sending. Both use one handle: a second one
/// for sending would see, and filter, every frame that this one sends, and would own a ring of its own.
/// </summary>
public sealed unsafe class PcapLink : IPacketLink
{
    private const int BatchLimit = 256;
    private const int WholeFrame = 65535;

    private readonly PcapOptions _options;
    private readonly Action<string>? _notice;
    private readonly WatchedInterface _interface;
    private readonly WakeEvent _wake = new();
    private readonly LinkMeter _meter = new();

    // _receiving is held through a Receive, _handle whenever the capture is used by others or replaced. Order: _receiving, _handle.
    private readonly Lock _receiving = new();
    private readonly Lock _handle = new();
    private PcapCapture? _capture;
    private LinkWatch? _watch;
    private WrappingCounter _kernelDrops;
    private WrappingCounter _deviceDrops;

    private PcapLink(PcapOptions options, Action<string>? notice)
    {
        _options = options;
        _notice = notice;
        _interface = new WatchedInterface(options.Interface, _wake);
        try
        {
            _capture = PcapCapture.Open(options, options.SnapLength ?? InterfaceProbe.AutomaticSnapLength(options.Interface), notice);
        }
        catch
        {
            _interface.Dispose();
            _wake.Dispose();
            throw;
        }
    }

    /// <summary>Opens the link, or throws <see cref="LinkException"/>.</summary>
    /// <param name="options">What to capture, and how.</param>
    /// <param name="notice">Told, in a sentence, of what a person may want to know: a reopened capture, a warning of libpcap.</param>
    public static PcapLink Open(PcapOptions options, Action<string>? notice = null) => new(options, notice);

    public string Name => "pcap";

    public LinkFraming Framing => LinkFraming.Ethernet;

    public int MaxMergedLength => 0;

    /// <summary>The longest frame that is captured whole at present.</summary>
    public int SnapLength => _capture?.SnapLength ?? 0;

    public LinkCounters Counters => _meter.Read(ReadKernelDrops());

    public int Receive(IFrameSink sink, int timeoutMilliseconds)
    {
        lock (_receiving)
        {
            int frames = Drain(sink);
            if (frames > 0)
                return frames;

            (short events, bool woken) = timeoutMilliseconds == 0 ? default : _wake.Wait(Current.Descriptor, timeoutMilliseconds);
            if (_interface.IsSuspect || (events != 0 && (events & Linux.POLLIN) == 0))
                _interface.Require();
            return timeoutMilliseconds == 0 || (woken && events == 0) ? 0 : Drain(sink);
        }
    }

    public void Watch(LinkWatch? watch)
    {
        lock (_handle)
            _watch = LinkWatch.Exchange(_watch, watch, _capture?.Descriptor ?? -1, _wake);
    }

    public int Send(ReadOnlySpan<byte> run, int frameLength, ReadOnlySpan<byte> address)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(frameLength);
        if (run.IsEmpty)
            return 0;

        lock (_handle)
        {
            fixed (byte* data = run)
                return _capture is { } capture ? Inject(capture, data, run.Length, frameLength) : 0;
        }
    }

    public bool SendMerged(ReadOnlySpan<byte> frame, int headerLength, int segmentLength) =>
        throw new InvalidOperationException($"the {Name} link sends no merged frames");

    public int MtuTowards(ReadOnlySpan<byte> address) => InterfaceProbe.Mtu(_options.Interface);

    public void Wake() => _wake.Set();

    public void Dispose()
    {
        _interface.Dispose();
        _wake.Set();
        lock (_receiving)
        {
            Watch(null);
            lock (_handle)
            {
                _capture?.Dispose();
                _capture = null;
            }
        }

        _wake.Dispose();
    }

    private PcapCapture Current => _capture ?? throw new ObjectDisposedException(nameof(PcapLink));

    private int Drain(IFrameSink sink)
    {
        PcapCapture capture = Current;
        DispatchResult result = capture.Dispatch(sink, BatchLimit);
        if (result.Frames > 0)
        {
            _meter.Received(result.Frames, result.Bytes);
            sink.OnBatchEnd();
        }

        if (result.Truncated > 0)
            Truncated(capture, result.Truncated);
        return result.Frames;
    }

    private void Truncated(PcapCapture capture, int frames)
    {
        _meter.CutShort(frames);
        if (_options.SnapLength is not null || capture.SnapLength >= WholeFrame)
            return;

        // Merged frames arrive although the interface says that it does not merge: a veth's peer with TSO on hands over whole 64 KiB.
        _notice?.Invoke(
            $"frames longer than {capture.SnapLength} bytes arrive on {_options.Interface}: capturing up to {WholeFrame} from now on");
        lock (_handle)
        {
            CountDrops(capture);
            PcapCapture wider = PcapCapture.Open(_options, WholeFrame, _notice);
            _capture = wider;
            _watch?.Add(wider.Descriptor);
            _watch?.Remove(capture.Descriptor);
            capture.Dispose();
            _kernelDrops.Restart();
            _deviceDrops.Restart();
        }
    }

    private int Inject(PcapCapture capture, byte* data, int length, int frameLength)
    {
        int frames = (length + frameLength - 1) / frameLength;
        int taken = 0;
        long bytes = 0;
        for (int offset = 0; offset < length; offset += frameLength)
        {
            int size = Math.Min(frameLength, length - offset);
            int error = capture.Inject(data + offset, size);
            if (error == Linux.EINTR)
                error = capture.Inject(data + offset, size);
            if (error == 0)
            {
                taken++;
                bytes += size;
            }
            else if (error != Linux.EMSGSIZE)
            {
                // A full queue or a dead interface will not take the rest of the run either; trying only burns time.
                break;
            }
        }

        _meter.Sent(taken, bytes, frames - taken);
        return taken;
    }

    private long ReadKernelDrops()
    {
        lock (_handle)
        {
            if (_capture is { } capture)
                CountDrops(capture);
            return _kernelDrops.Total + _deviceDrops.Total;
        }
    }

    private void CountDrops(PcapCapture capture)
    {
        if (!capture.TryGetDrops(out uint kernel, out uint device))
            return;
        _kernelDrops.Observe(kernel);
        _deviceDrops.Observe(device);
    }
}
