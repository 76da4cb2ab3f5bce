using System.Buffers.Binary;

namespace Tunnel.Protocol.Sessions;

/// <summary>An announcement's bitmasks in the binary formats: <c>count u8 | count x u16 BE</c>.</summary>
internal static class FlagList
{
    public static int LengthOf(byte count) => 1 + 2 * count;

    /// <param name="list">As long as its count says.</param>
    /// <returns>Null when there are too many.</returns>
    public static ushort[]? Read(ReadOnlySpan<byte> list)
    {
        if (list[0] > StreamHeader.MaximumFlags)
            return null;
        var flags = new ushort[list[0]];
        for (int i = 0; i < flags.Length; i++)
            flags[i] = (ushort)(BinaryPrimitives.ReadUInt16BigEndian(list[(1 + 2 * i)..]) & StreamHeader.FlagBits);
        return flags;
    }

    public static int Write(Span<byte> destination, IReadOnlyList<ushort> flags)
    {
        int count = Math.Min(flags.Count, StreamHeader.MaximumFlags);
        destination[0] = (byte)count;
        for (int i = 0; i < count; i++)
            BinaryPrimitives.WriteUInt16BigEndian(destination[(1 + 2 * i)..], flags[i]);
        return LengthOf((byte)count);
    }
}
