using System.Buffers.Binary;

namespace Tunnel.Protocol.Kcp;

/// <summary>What a KCP segment is for.</summary>
public enum KcpCommand : byte
{
    Push = 81,
    Ack = 82,
    WindowAsk = 83,
    WindowTell = 84,

    /// <summary>
    /// Ours: "I know no such conversation", with the ts and sn of the PUSH that it answers. Other implementations refuse the
    /// command and go on.
    /// </summary>
    Unknown = 85,

    /// <summary>
    /// Ours: a datagram padded to the length whose way is tried, with that length (KCP payload) as sn and a stamp as ts. Sent only to
    /// a peer that announced that it answers, as the next two are.
    /// </summary>
    PathProbe = 86,

    /// <summary>Ours: a probe with this sn and ts has arrived.</summary>
    PathAnswer = 87,

    /// <summary>Ours: a part of the PUSH with this sn, which has become too long for the path (<see cref="SegmentPart"/>).</summary>
    Part = 88,
}

/// <summary>
/// The 24-byte KCP segment header, little-endian (the field's reference: skywind3000/kcp; kcp-go speaks the same):
/// conv u32, cmd u8, frg u8, wnd u16, ts u32, sn u32, una u32, len u32, data.
/// </summary>
/// <param name="Conv">The conversation's number, chosen by the client.</param>
/// <param name="Command">81 to 84, and ours above.</param>
/// <param name="Fragment">Fragments still to come; 0 from kcp-go.</param>
/// <param name="Window">Segments the sender of this header can still take.</param>
/// <param name="Timestamp">Milliseconds on the clock of whoever sent the PUSH; an ACK echoes it.</param>
/// <param name="Number">Segment number (sn).</param>
/// <param name="Unacknowledged">The sender has received every segment below this number (una).</param>
/// <param name="Length">Bytes of data behind the header.</param>
public readonly record struct KcpSegment(
    uint Conv,
    KcpCommand Command,
    byte Fragment,
    ushort Window,
    uint Timestamp,
    uint Number,
    uint Unacknowledged,
    uint Length)
{
    public const int HeaderLength = 24;

    /// <summary>False when there are fewer than 24 bytes.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out KcpSegment segment)
    {
        segment = default;
        if (source.Length < HeaderLength)
            return false;
        segment = new KcpSegment(
            BinaryPrimitives.ReadUInt32LittleEndian(source),
            (KcpCommand)source[4],
            source[5],
            BinaryPrimitives.ReadUInt16LittleEndian(source[6..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[8..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[12..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[20..]));
        return true;
    }

    /// <summary>Writes 24 bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(destination, Conv);
        destination[4] = (byte)Command;
        destination[5] = Fragment;
        BinaryPrimitives.WriteUInt16LittleEndian(destination[6..], Window);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], Timestamp);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], Number);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[16..], Unacknowledged);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[20..], Length);
    }
}
