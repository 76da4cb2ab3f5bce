using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Tunnel.Protocol.Crypto;

/// <summary>
/// Shortens data to 16 bytes that have the same CRC-32, by carry-less multiplication (Gopal and others, "Fast CRC Computation for
/// Generic Polynomials Using PCLMULQDQ Instruction"): what lies n bits ahead of the end may be replaced by itself times x^n modulo the
/// polynomial.
/// </summary>
internal static class Crc32Folding
{
    /// <summary>Less than this is not worth it.</summary>
    public const int Shortest = 64;

    private const int Block = 16;

    private static readonly Vector128<ulong> ByOneBlock = Distance(128);
    private static readonly Vector128<ulong> ByFourBlocks = Distance(512);

    public static bool IsSupported => CarrylessProduct.IsSupported;

    /// <summary>Whether four blocks fit in one vector of this processor.</summary>
    public static bool IsWide => Pclmulqdq.V512.IsSupported && Vector512.IsHardwareAccelerated;

    public static Vector128<byte> Fold(uint crc, ref ReadOnlySpan<byte> data) => Fold(crc, ref data, IsWide);

    /// <param name="crc">The register before the data.</param>
    /// <param name="data"><see cref="Shortest"/> bytes or more; afterwards the fewer than 16 that are left.</param>
    /// <param name="wide">Only where <see cref="IsWide"/>.</param>
    /// <returns>What stands for the bytes that were taken, with the register at 0 before it.</returns>
    internal static Vector128<byte> Fold(uint crc, ref ReadOnlySpan<byte> data, bool wide)
    {
        Vector128<ulong> sum = wide ? FoldWide(crc, ref data) : FoldNarrow(crc, ref data);
        for (; data.Length >= Block; data = data[Block..])
            sum = Advance(sum, ByOneBlock) ^ Vector128.Create(data).AsUInt64();
        return sum.AsByte();
    }

    private static Vector128<ulong> FoldNarrow(uint crc, ref ReadOnlySpan<byte> data)
    {
        Vector128<ulong> by = ByFourBlocks, a = Load(data, 0) ^ Vector128.CreateScalar((ulong)crc);
        Vector128<ulong> b = Load(data, 1), c = Load(data, 2), d = Load(data, 3);
        for (data = data[Shortest..]; data.Length >= Shortest; data = data[Shortest..])
        {
            a = Advance(a, by) ^ Load(data, 0);
            b = Advance(b, by) ^ Load(data, 1);
            c = Advance(c, by) ^ Load(data, 2);
            d = Advance(d, by) ^ Load(data, 3);
        }

        return Join(a, b, c, d);
    }

    private static Vector128<ulong> FoldWide(uint crc, ref ReadOnlySpan<byte> data)
    {
        Vector512<ulong> by = Vector512.Create(Vector256.Create(ByFourBlocks, ByFourBlocks), Vector256.Create(ByFourBlocks, ByFourBlocks));
        Vector512<ulong> sum = Vector512.Create(data).AsUInt64() ^ Vector512.CreateScalar((ulong)crc);
        for (data = data[Shortest..]; data.Length >= Shortest; data = data[Shortest..])
        {
            sum = Pclmulqdq.V512.CarrylessMultiply(sum, by, 0x00) ^ Pclmulqdq.V512.CarrylessMultiply(sum, by, 0x11)
                ^ Vector512.Create(data).AsUInt64();
        }

        Vector256<ulong> head = sum.GetLower(), rest = sum.GetUpper();
        return Join(head.GetLower(), head.GetUpper(), rest.GetLower(), rest.GetUpper());
    }

    private static Vector128<ulong> Join(Vector128<ulong> a, Vector128<ulong> b, Vector128<ulong> c, Vector128<ulong> d)
    {
        b ^= Advance(a, ByOneBlock);
        c ^= Advance(b, ByOneBlock);
        return d ^ Advance(c, ByOneBlock);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Advance(Vector128<ulong> value, Vector128<ulong> by) =>
        CarrylessProduct.LowLow(value, by) ^ CarrylessProduct.HighHigh(value, by);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Load(ReadOnlySpan<byte> data, int block) =>
        Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(data[..Shortest]), (nuint)(block * Block)).AsUInt64();

    // The first eight bytes of a block are the higher powers. The powers are 32 lower than the distances because the CRC of a block is
    // taken as if 32 zero bits followed, and doubled because a product of reflected operands is one bit short.
    private static Vector128<ulong> Distance(int bits) => Vector128.Create(PowerOfX(bits + 32) << 1, PowerOfX(bits - 32) << 1);

    /// <summary>x^n modulo the polynomial, reflected as everything here.</summary>
    private static ulong PowerOfX(int n)
    {
        uint power = 0x8000_0000;
        for (; n > 0; n--)
            power = power >> 1 ^ (0 - (power & 1) & Crc32.Polynomial);
        return power;
    }
}
