using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tunnel.Protocol.Crypto;

/// <summary>One block a step: x86 with PCLMULQDQ, Arm with PMULL.</summary>
internal struct GhashSum128 : IGhashSum
{
    private Vector128<ulong> _low;
    private Vector128<ulong> _middle;
    private Vector128<ulong> _high;

    public static bool IsSupported => CarrylessProduct.IsSupported;

    public static int Lanes => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(Vector128<ulong> value, ref Vector128<ulong> power)
    {
        _low ^= CarrylessProduct.LowLow(value, power);
        _middle ^= CarrylessProduct.LowLow(value ^ Swap(value), Unsafe.Add(ref power, GhashKey.ToHalves));
        _high ^= CarrylessProduct.HighHigh(value, power);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddLanes(ref byte blocks, ref Vector128<ulong> powers) =>
        Add(GhashKey.Reverse(Vector128.LoadUnsafe(ref blocks)), ref powers);

    public readonly Vector128<ulong> Reduce() => Reduce(_low, _middle, _high);

    /// <summary>The low, middle (64 bits up) and high parts of a sum, reduced after Montgomery, 64 bits a step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> Reduce(Vector128<ulong> low, Vector128<ulong> middle, Vector128<ulong> high)
    {
        // x^128 + x^127 + x^126 + x^121 + 1: what the low half is cancelled against is x^63 + x^62 + x^57, in the high half here.
        Vector128<ulong> polynomial = Vector128.Create(0UL, 0xC200_0000_0000_0000);
        middle = Swap(middle ^ low ^ high);
        low ^= middle & Vector128.Create(0UL, ulong.MaxValue);
        high ^= middle & Vector128.Create(ulong.MaxValue, 0UL);
        low = Swap(low) ^ CarrylessProduct.LowHigh(low, polynomial);
        low = Swap(low) ^ CarrylessProduct.LowHigh(low, polynomial);
        return high ^ low;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Swap(Vector128<ulong> value) => Vector128.Shuffle(value, Vector128.Create(1UL, 0UL));
}
