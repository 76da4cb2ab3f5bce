using System.Runtime.CompilerServices;

namespace Tunnel.Protocol.Kcp;

/// <summary>
/// One datagram that is being filled with segments. Every header of it says what has been received, too: the free window, and una.
/// </summary>
internal ref struct SegmentWriter(Span<byte> destination, uint conv, SegmentReceiver receiver)
{
    private readonly Span<byte> _destination = destination;

    /// <summary>Bytes that have been written.</summary>
    public int Written { get; private set; }

    /// <summary>Bytes that are left.</summary>
    public readonly int Room => _destination.Length - Written;

    /// <summary>Writes a header; false when it, with its data, does not fit.</summary>
    /// <param name="command">What it is.</param>
    /// <param name="timestamp">ts.</param>
    /// <param name="number">sn.</param>
    /// <param name="length">Bytes of data that come behind it.</param>
    public bool TryWriteHeader(KcpCommand command, uint timestamp, uint number, int length = 0)
    {
        if (Room < KcpSegment.HeaderLength + length)
            return false;
        var header = new KcpSegment(conv, command, 0, (ushort)receiver.Window, timestamp, number, receiver.Next, (uint)length);
        header.Write(_destination[Written..]);
        Written += KcpSegment.HeaderLength;
        return true;
    }

    /// <summary>Writes a segment, for which there is room.</summary>
    // Inlined: a call for each segment that is sent shows in the benches.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Write(KcpCommand command, uint timestamp, uint number, ReadOnlySpan<byte> data)
    {
        Span<byte> place = _destination.Slice(Written, KcpSegment.HeaderLength + data.Length);
        new KcpSegment(conv, command, 0, (ushort)receiver.Window, timestamp, number, receiver.Next, (uint)data.Length).Write(place);
        data.CopyTo(place[KcpSegment.HeaderLength..]);
        Written += place.Length;
    }

    /// <summary>Writes data behind the header that announced it.</summary>
    public void Write(ReadOnlySpan<byte> data)
    {
        data.CopyTo(_destination[Written..]);
        Written += data.Length;
    }

    /// <summary>Writes what says which part of a segment comes behind it.</summary>
    public void Write(SegmentPart part)
    {
        part.Write(_destination[Written..]);
        Written += SegmentPart.HeaderLength;
    }
}
