using Tunnel.Links;
using Tunnel.Links.Sockets;
using Tunnel.Protocol.Wire;

namespace Tunnel.Ctl.Ping;

/// <summary>A link whose arrivals are looked at on their way: what a receiver drops silently is what a diagnosis is made of.</summary>
internal sealed class WatchedLink(IPacketLink inner, Endpoint server) : IPacketLink, IFrameSink
{
    private IFrameSink? _sink;
    private long _frames;
    private long _resets;

    /// <summary>After each frame, once the receiver has had it; on the receiver's thread.</summary>
    public event Action? Heard;

    /// <summary>Frames with a payload from the server's address and port.</summary>
    public long Frames => Volatile.Read(ref _frames);

    /// <summary>Segments with RST from there: its kernel's or a firewall's, for the tunnel sends none.</summary>
    public long Resets => Volatile.Read(ref _resets);

    public string Name => inner.Name;

    public LinkFraming Framing => inner.Framing;

    public int MaxMergedLength => inner.MaxMergedLength;

    public int MaxTogether => inner.MaxTogether;

    public int MtuTowards(ReadOnlySpan<byte> address) => inner.MtuTowards(address);

    public LinkCounters Counters => inner.Counters;

    public int Receive(IFrameSink sink, int timeoutMilliseconds)
    {
        _sink = sink;
        return inner.Receive(this, timeoutMilliseconds);
    }

    public void Watch(LinkWatch? watch) => inner.Watch(watch);

    public int Send(ReadOnlySpan<byte> run, int frameLength, ReadOnlySpan<byte> address) => inner.Send(run, frameLength, address);

    public bool SendMerged(ReadOnlySpan<byte> frame, int headerLength, int segmentLength) =>
        inner.SendMerged(frame, headerLength, segmentLength);

    public void Wake() => inner.Wake();

    public void Dispose() => inner.Dispose();

    public void OnFrame(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, int segmentLength)
    {
        if (Framing == LinkFraming.Datagram)
            Volatile.Write(ref _frames, _frames + 1);
        else if (TcpSegment.TryParse(frame, out TcpSegment segment) == WireDrop.None && segment.Source == server)
            Count(segment);
        _sink!.OnFrame(frame, address, segmentLength);
        Heard?.Invoke();
    }

    public void OnBatchEnd() => _sink!.OnBatchEnd();

    private void Count(in TcpSegment segment)
    {
        if (!segment.Payload.IsEmpty)
            Volatile.Write(ref _frames, _frames + 1);
        else if ((segment.Flags & TcpFlags.Rst) != 0)
            Volatile.Write(ref _resets, _resets + 1);
    }
}
