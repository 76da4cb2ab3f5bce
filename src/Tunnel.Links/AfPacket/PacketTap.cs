using Tunnel.Links.Host;
using Tunnel.Links.Native;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.AfPacket;

/// <summary>
/// Sees what passes an interface in either direction, and sends nothing: for whoever looks at traffic, not for a tunnel. One thread
/// receives.
/// </summary>
public sealed class PacketTap : IDisposable
{
    private readonly PacketTapBatch _batch = new();
    private readonly WakeEvent _wake = new();
    private readonly bool _loopback;
    private readonly int _descriptor;
    private long _kernelDrops;
    private bool _disposed;

    private PacketTap(AfPacketOptions options, bool portsOnly)
    {
        int index = InterfaceProbe.Index(options.Interface);
        try
        {
            if (index == 0)
                throw new LinkException(LinkFault.Network, $"there is no interface {options.Interface}: `ip link` lists those that exist");
            _loopback = InterfaceProbe.IsLoopback(options.Interface);
            _descriptor = AfPacketSocket.OpenTap(options, index, portsOnly);
        }
        catch
        {
            _wake.Dispose();
            _batch.Dispose();
            throw;
        }
    }

    /// <summary>Opens a tap, or throws <see cref="LinkException"/>.</summary>
    /// <param name="interfaceName">Where to look.</param>
    /// <param name="ports">TCP and UDP with either port in this range, both ends included; null: everything.</param>
    public static PacketTap Open(string interfaceName, (int First, int Last)? ports) => new(
        new AfPacketOptions { Interface = interfaceName, FirstPort = ports?.First ?? 0, LastPort = ports?.Last ?? 0, ReceiveBufferBytes = 32 << 20 },
        ports is not null);

    /// <summary>Frames that the kernel dropped because they were not taken in time.</summary>
    public long KernelDrops => _kernelDrops += AfPacketSocket.TakeDrops(_descriptor);

    /// <summary>Waits for frames and hands every one that is there (up to a batch) to <paramref name="sink"/>; returns their number.</summary>
    /// <exception cref="LinkException">The interface went away.</exception>
    public int Receive(ITapSink sink, int timeoutMilliseconds)
    {
        int count = _batch.Read(_descriptor);
        if (count <= 0 && timeoutMilliseconds != 0)
        {
            _wake.Wait(_descriptor, timeoutMilliseconds);
            count = _batch.Read(_descriptor);
        }

        if (count is -ENETDOWN or -ENODEV)
            throw new LinkException(LinkFault.Network, "the interface went down");
        for (int i = 0; i < count; i++)
        {
            TappedFrame info = _batch.Info(i);
            // Loopback shows each frame on its way out and on its way in.
            if (!(_loopback && info.Outgoing))
                sink.OnFrame(_batch.Frame(i), info);
        }

        return Math.Max(0, count);
    }

    /// <summary>Ends a Receive that waits, now or the next one that would. Any thread.</summary>
    public void Wake() => _wake.Set();

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _ = Libc.Close(_descriptor);
        _wake.Dispose();
        _batch.Dispose();
    }
}

/// <summary>Receives what a <see cref="PacketTap"/> saw.</summary>
public interface ITapSink
{
    /// <param name="frame">Valid during the call only.</param>
    /// <param name="info">What the kernel says about it.</param>
    void OnFrame(ReadOnlySpan<byte> frame, TappedFrame info);
}

/// <summary>What the kernel says about a frame.</summary>
/// <param name="Time">Nanoseconds since 1970, when the kernel had it.</param>
/// <param name="Outgoing">This host sent it.</param>
/// <param name="SegmentLength">Payload bytes of each TCP segment or UDP datagram but the last that were merged into it; 0: not merged.</param>
public readonly record struct TappedFrame(long Time, bool Outgoing, int SegmentLength);
