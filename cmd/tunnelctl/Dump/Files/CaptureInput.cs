using System.Buffers.Binary;

namespace Tunnel.Ctl.Dump.Files;

/// <summary>The bytes of a capture file, taken in the order in which they come and in the file's byte order. Bounded: see the limit.</summary>
internal sealed class CaptureInput(Stream stream)
{
    /// <summary>No block or packet is longer: tools cut at 256 KiB, and options are short.</summary>
    public const int LongestPiece = 1 << 20;

    private long _position;

    /// <summary>The file was written on a machine of the other byte order than the little-endian one.</summary>
    public bool IsBigEndian { get; set; }

    /// <summary>Takes so many bytes; false at the very end of the file.</summary>
    /// <exception cref="CaptureFormatException">The file ends in the middle.</exception>
    public bool TryTake(Span<byte> destination)
    {
        int have = stream.ReadAtLeast(destination, destination.Length, throwOnEndOfStream: false);
        if (have == 0 && !destination.IsEmpty)
            return false;
        if (have < destination.Length)
            throw new CaptureFormatException($"the file ends in the middle of what begins at byte {_position}");
        _position += have;
        return true;
    }

    /// <exception cref="CaptureFormatException">The file ends first, or the length cannot be.</exception>
    public byte[] Take(uint length)
    {
        if (length > LongestPiece)
            throw new CaptureFormatException($"{length} bytes at byte {_position} cannot be: the file is damaged there, or no capture");
        byte[] bytes = new byte[length];
        if (length != 0 && !TryTake(bytes))
            throw new CaptureFormatException($"the file ends where {length} bytes should follow, at byte {_position}");
        return bytes;
    }

    public ushort UInt16(ReadOnlySpan<byte> source) =>
        IsBigEndian ? BinaryPrimitives.ReadUInt16BigEndian(source) : BinaryPrimitives.ReadUInt16LittleEndian(source);

    public uint UInt32(ReadOnlySpan<byte> source) =>
        IsBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(source) : BinaryPrimitives.ReadUInt32LittleEndian(source);
}
