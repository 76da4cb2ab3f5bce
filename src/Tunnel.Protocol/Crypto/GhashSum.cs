using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tunnel.Protocol.Crypto;

/// <summary>
/// A sum of 256-bit products over GF(2), not yet reduced: as long as every block of a message has its own power of the key to be
/// multiplied by, one reduction at the end is enough. Operands are byte-reversed blocks, the form in which GHASH's bit order is
/// the processor's (Gueron and Kounavis, "Efficient Implementation of the Galois Counter Mode", and RFC 8452, appendix A).
/// </summary>
internal struct GhashSum
{
    private Vector128<ulong> _low;
    private Vector128<ulong> _middle;
    private Vector128<ulong> _high;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(Vector128<ulong> value, Vector128<ulong> power)
    {
        _low ^= CarrylessProduct.LowLow(value, power);
        _middle ^= CarrylessProduct.LowHigh(value, power) ^ CarrylessProduct.LowHigh(power, value);
        _high ^= CarrylessProduct.HighHigh(value, power);
    }

    /// <summary>The sum times x^-128 modulo x^128 + x^127 + x^126 + x^121 + 1: a Montgomery reduction, 64 bits a step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly Vector128<ulong> Reduce()
    {
        // x^63 + x^62 + x^57 in the high half, against which the low half of the sum is cancelled.
        Vector128<ulong> polynomial = Vector128.Create(0UL, 0xC200_0000_0000_0000);
        Vector128<ulong> middle = Swap(_middle);
        Vector128<ulong> low = _low ^ (middle & Vector128.Create(0UL, ulong.MaxValue));
        Vector128<ulong> high = _high ^ (middle & Vector128.Create(ulong.MaxValue, 0UL));
        low = Swap(low) ^ CarrylessProduct.LowHigh(low, polynomial);
        low = Swap(low) ^ CarrylessProduct.LowHigh(low, polynomial);
        return high ^ low;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Swap(Vector128<ulong> value) => Vector128.Shuffle(value, Vector128.Create(1UL, 0UL));
}
