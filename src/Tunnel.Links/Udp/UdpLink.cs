using System.Runtime.CompilerServices;
using Tunnel.Links.Host;
using Tunnel.Links.Native;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.Udp;

/// <summary>
/// Plain UDP: a datagram a frame, no privilege. Addresses are the kernel's own bytes: on a socket that listens on any address IPv4 peers
/// appear as v4-mapped sockaddr_in6; <see cref="Send"/> takes those as well as sockaddr_in.
/// </summary>
public sealed unsafe class UdpLink : IPacketLink
{
    private const int SendBatch = 64;
    private const int MemInfoFields = 9;
    private const int MemInfoDrops = 8;

    private readonly UdpReceiveBatch _batch = new();
    private readonly WakeEvent _wake = new();
    private readonly LinkMeter _meter = new();
    private readonly bool _v6;

    // Senders share the descriptor as readers do a book; closing it takes the writer's side, lest a late send go to another's descriptor.
    private readonly ReaderWriterLockSlim _descriptorGate = new();
    private readonly Lock _receiving = new();
    private readonly Lock _dropsGate = new();
    private WrappingCounter _drops;
    private int _descriptor = -1;

    private UdpLink(UdpOptions options)
    {
        try
        {
            (_descriptor, _v6) = UdpSocket.Open(options);
        }
        catch
        {
            Dispose();
            throw;
        }

        LocalPort = UdpSocket.LocalPort(_descriptor);
    }

    /// <summary>Opens the link, or throws <see cref="LinkException"/>.</summary>
    public static UdpLink Open(UdpOptions options) => new(options);

    public string Name => "udp";

    public LinkFraming Framing => LinkFraming.Datagram;

    public int MaxMergedLength => 0;

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

        _descriptorGate.EnterReadLock();
        try
        {
            return _descriptor < 0 ? 0 : SendRun(run, frameLength, target);
        }
        finally
        {
            _descriptorGate.ExitReadLock();
        }
    }

    public bool SendMerged(ReadOnlySpan<byte> frame, int headerLength, int segmentLength) =>
        throw new InvalidOperationException($"the {Name} link sends no merged frames");

    public int MtuTowards(ReadOnlySpan<byte> address) =>
        HostNetwork.LinkTowards(SocketAddressBytes.Address(address))?.Mtu ?? 0;

    public void Wake() => _wake.Set();

    public void Dispose()
    {
        _wake.Set();
        lock (_receiving)
        {
            _descriptorGate.EnterWriteLock();
            if (_descriptor >= 0)
                _ = Libc.Close(_descriptor);
            _descriptor = -1;
            _descriptorGate.ExitWriteLock();
            _batch.Dispose();
        }

        _wake.Dispose();
    }

    private int Drain(IFrameSink sink)
    {
        int count = _batch.Read(_descriptor);

        // An error here is a report about an earlier send (a peer's ICMP), or nothing to read: neither says anything about the socket.
        if (count <= 0)
            return 0;

        int delivered = 0;
        long bytes = 0;
        for (int i = 0; i < count; i++)
        {
            if (_batch.IsTruncated(i))
            {
                _meter.CutShort(1);
                continue;
            }

            ReadOnlySpan<byte> datagram = _batch.Datagram(i);
            delivered++;
            bytes += datagram.Length;
            sink.OnFrame(datagram, _batch.Sender(i), 0);
        }

        _meter.Received(delivered, bytes);
        if (delivered > 0)
            sink.OnBatchEnd();
        return delivered;
    }

    [SkipLocalsInit]
    private int SendRun(ReadOnlySpan<byte> run, int frameLength, ReadOnlySpan<byte> address)
    {
        MessageHeader* headers = stackalloc MessageHeader[SendBatch];
        IoVector* vectors = stackalloc IoVector[SendBatch];
        int taken = 0;
        int refused = 0;
        long bytes = 0;
        fixed (byte* data = run, name = address)
        {
            int offset = 0;
            while (offset < run.Length)
            {
                int count = Fill(headers, vectors, data + offset, run.Length - offset, frameLength, name, address.Length);
                int sent = Libc.SendMessages(_descriptor, headers, (uint)count, MSG_DONTWAIT);
                int passed = Math.Max(sent, 0);
                if (sent < 0)
                {
                    int error = Libc.LastError;
                    if (error == EINTR)
                        continue;
                    if (!ConcernsOneDatagram(error))
                        break;
                    refused++;
                    passed = 1;
                }
                else
                {
                    taken += sent;
                }

                int end = Math.Min(offset + (passed * frameLength), run.Length);
                bytes += sent > 0 ? end - offset : 0;
                offset = end;
            }

            refused += (run.Length - offset + frameLength - 1) / frameLength;
        }

        _meter.Sent(taken, bytes, refused);
        return taken;
    }

    /// <summary>Errors after which the next datagram of the run may still go: too long, or the report of an earlier one's fate.</summary>
    private static bool ConcernsOneDatagram(int error) => error is EMSGSIZE or ECONNREFUSED or EHOSTUNREACH;

    private static int Fill(
        MessageHeader* headers, IoVector* vectors, byte* data, int length, int frameLength, byte* name, int nameLength)
    {
        int count = 0;
        for (int offset = 0; offset < length && count < SendBatch; offset += frameLength, count++)
        {
            vectors[count] = new IoVector { Base = data + offset, Length = (nuint)Math.Min(frameLength, length - offset) };
            headers[count] = new MessageHeader
            {
                Name = name,
                NameLength = (uint)nameLength,
                Vectors = vectors + count,
                VectorCount = 1,
            };
        }

        return count;
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
