using Tunnel.Links.Native;
using Tunnel.Links.Sockets;

namespace Tunnel.Links.Udp;

/// <summary>
/// Several consecutive UDP ports as one link. What comes in carries, behind the sender's sockaddr, a byte that says at which port; sent
/// back with it, an answer leaves from the port that was asked.
/// </summary>
public sealed class UdpRangeLink : IPacketLink
{
    /// <summary>What a byte can tell apart.</summary>
    public const int MaxPorts = 256;

    private readonly List<UdpLink> _links = [];
    private readonly List<Tagger> _taggers = [];
    // One for all: a single thread receives, and has handed everything on before it turns to the next port.
    private readonly UdpReceiveBatch _batch = new();
    private readonly WakeEvent _wake = new();
    private readonly Lock _receiving = new();
    private readonly int[] _descriptors;
    private readonly short[] _events;
    private LinkWatch? _watch;
    private volatile bool _disposed;

    private UdpRangeLink(UdpOptions options, int ports, Action<string>? notice)
    {
        Action<string>? once = notice is null ? null : new Notice(notice).Tell;
        try
        {
            for (int i = 0; i < ports; i++)
            {
                _links.Add(UdpLink.Open(options with { Port = options.Port + i }, once, _batch));
                _taggers.Add(new Tagger((byte)i));
            }
        }
        catch
        {
            Dispose();
            throw;
        }

        _descriptors = [.. _links.Select(l => l.Descriptor)];
        _events = new short[ports];
    }

    public string Name => "udp";

    public LinkFraming Framing => LinkFraming.Datagram;

    public int MaxMergedLength => 0;

    /// <summary>That of the first port: those of the others differ only while one after the other finds out.</summary>
    public int MaxTogether => _links[0].MaxTogether;

    /// <summary>All of the ports are on the same interface.</summary>
    public int MtuTowards(ReadOnlySpan<byte> address) => _links[0].MtuTowards(address);

    public LinkCounters Counters
    {
        get
        {
            LinkCounters sum = default;
            foreach (UdpLink link in _links)
                sum = Add(sum, link.Counters);
            return sum;
        }
    }

    /// <summary>Opens the ports from the options' on, or throws <see cref="LinkException"/> and has opened none.</summary>
    /// <param name="options">As for one port.</param>
    /// <param name="ports">How many.</param>
    /// <param name="notice">As for one port; told once for all.</param>
    public static UdpRangeLink Open(UdpOptions options, int ports, Action<string>? notice = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(options.Port);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(ports);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ports, MaxPorts);
        return new UdpRangeLink(options, ports, notice);
    }

    public int Receive(IFrameSink sink, int timeoutMilliseconds)
    {
        lock (_receiving)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _wake.Wait(_descriptors, _events, timeoutMilliseconds);
            int frames = 0;
            for (int i = 0; i < _events.Length; i++)
            {
                if (_events[i] != 0)
                    frames += _links[i].Receive(_taggers[i].For(sink), 0);
            }

            return frames;
        }
    }

    public void Watch(LinkWatch? watch)
    {
        _watch = LinkWatch.Exchange(_watch, watch, -1, _wake);
        foreach (UdpLink link in _links)
            link.Watch(watch);
    }

    public int Send(ReadOnlySpan<byte> run, int frameLength, ReadOnlySpan<byte> address) =>
        _links[address[^1]].Send(run, frameLength, address[..^1]);

    public bool SendMerged(ReadOnlySpan<byte> frame, int headerLength, int segmentLength) =>
        throw new InvalidOperationException($"the {Name} link sends no merged frames");

    public void Wake() => _wake.Set();

    public void Dispose()
    {
        _disposed = true;
        _wake.Set();
        lock (_receiving)
        {
            Watch(null);
            foreach (UdpLink link in _links)
                link.Dispose();
            _batch.Dispose();
        }

        _wake.Dispose();
    }

    private static LinkCounters Add(LinkCounters a, LinkCounters b) => new(
        a.PacketsIn + b.PacketsIn,
        a.BytesIn + b.BytesIn,
        a.PacketsOut + b.PacketsOut,
        a.BytesOut + b.BytesOut,
        a.SendErrors + b.SendErrors,
        a.KernelDrops + b.KernelDrops,
        a.Truncated + b.Truncated);

    /// <summary>The ports share a host, and so what is wrong with it.</summary>
    private sealed class Notice(Action<string> told)
    {
        private string? _last;

        public void Tell(string notice)
        {
            if (Interlocked.Exchange(ref _last, notice) != notice)
                told(notice);
        }
    }

    /// <summary>Puts a port's number behind the addresses of what came in there.</summary>
    private sealed class Tagger(byte tag) : IFrameSink
    {
        private readonly byte[] _address = new byte[SocketAddressBytes.V6Length + 1];
        private IFrameSink? _sink;

        public Tagger For(IFrameSink sink)
        {
            _sink = sink;
            return this;
        }

        public void OnFrame(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, int segmentLength)
        {
            address.CopyTo(_address);
            _address[address.Length] = tag;
            _sink!.OnFrame(frame, _address.AsSpan(0, address.Length + 1), segmentLength);
        }

        public void OnBatchEnd() => _sink!.OnBatchEnd();
    }
}
