using System.Buffers.Binary;

namespace Tunnel.Protocol.Kcp;

/// <summary>
/// What lies behind the header of a <see cref="KcpCommand.Part"/>: offset u16, total u16 (little-endian), and that much of the data of
/// a segment that was numbered when the path carried longer datagrams than it does now.
/// </summary>
/// <param name="Offset">Where in the segment's data it belongs.</param>
/// <param name="Total">Bytes of the whole segment's data.</param>
internal readonly record struct SegmentPart(int Offset, int Total)
{
    public const int HeaderLength = 4;

    /// <summary>False when it is not a part of a segment that could be.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out SegmentPart part, out ReadOnlySpan<byte> data)
    {
        part = default;
        data = default;
        if (source.Length <= HeaderLength)
            return false;
        part = new SegmentPart(BinaryPrimitives.ReadUInt16LittleEndian(source), BinaryPrimitives.ReadUInt16LittleEndian(source[2..]));
        data = source[HeaderLength..];
        return part.Offset + data.Length <= part.Total && part.Total <= KcpEngine.LargestDatagram;
    }

    /// <summary>Writes 4 bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(destination, (ushort)Offset);
        BinaryPrimitives.WriteUInt16LittleEndian(destination[2..], (ushort)Total);
    }
}
