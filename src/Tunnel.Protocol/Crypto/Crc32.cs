using System.Buffers.Binary;
using System.Runtime.Intrinsics;

namespace Tunnel.Protocol.Crypto;

/// <summary>
/// CRC-32 (IEEE 802.3, reflected): carry-less multiplication where the processor has it, for what is long enough; otherwise eight
/// bytes a step from eight tables.
/// </summary>
internal static class Crc32
{
    public const uint Polynomial = 0xEDB8_8320;

    private const int Slices = 8;

    private static readonly uint[] Tables = MakeTables();

    public static uint Compute(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        if (Crc32Folding.IsSupported && data.Length >= Crc32Folding.Shortest)
        {
            Span<byte> folded = stackalloc byte[16];
            Vector128<byte> sum = Crc32Folding.Fold(crc, ref data);
            sum.CopyTo(folded);
            crc = Update(0, folded);
        }

        return ~Update(crc, data);
    }

    /// <summary>The register after more data, by tables.</summary>
    internal static uint Update(uint crc, ReadOnlySpan<byte> data)
    {
        ReadOnlySpan<uint> t = Tables;
        while (data.Length >= 8)
        {
            uint low = BinaryPrimitives.ReadUInt32LittleEndian(data) ^ crc;
            uint high = BinaryPrimitives.ReadUInt32LittleEndian(data[4..]);
            crc = t[0x700 + (byte)low] ^ t[0x600 + (byte)(low >> 8)] ^ t[0x500 + (byte)(low >> 16)] ^ t[0x400 + (int)(low >> 24)]
                ^ t[0x300 + (byte)high] ^ t[0x200 + (byte)(high >> 8)] ^ t[0x100 + (byte)(high >> 16)] ^ t[(int)(high >> 24)];
            data = data[8..];
        }

        foreach (byte b in data)
            crc = t[(byte)(crc ^ b)] ^ crc >> 8;
        return crc;
    }

    private static uint[] MakeTables()
    {
        var tables = new uint[Slices * 256];
        for (uint i = 0; i < 256; i++)
        {
            uint value = i;
            for (int bit = 0; bit < 8; bit++)
                value = (value & 1) != 0 ? value >> 1 ^ Polynomial : value >> 1;
            tables[i] = value;
        }

        for (int slice = 1; slice < Slices; slice++)
        {
            for (int i = 0; i < 256; i++)
            {
                uint before = tables[(slice - 1) * 256 + i];
                tables[slice * 256 + i] = tables[(byte)before] ^ before >> 8;
            }
        }

        return tables;
    }
}
