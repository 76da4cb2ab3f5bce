using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Tunnel.Protocol.Crypto;

/// <summary>Two blocks a step: x86 with VPCLMULQDQ.</summary>
internal struct GhashSum256 : IGhashSum
{
    private Vector256<ulong> _low;
    private Vector256<ulong> _middle;
    private Vector256<ulong> _high;

    public static bool IsSupported => Pclmulqdq.V256.IsSupported && Avx2.IsSupported;

    public static int Lanes => 2;

    public void Add(Vector128<ulong> value, ref Vector128<ulong> power) =>
        Add(value.ToVector256(), power.ToVector256(), Unsafe.Add(ref power, GhashKey.ToHalves).ToVector256());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddLanes(ref byte blocks, ref Vector128<ulong> powers)
    {
        Vector256<byte> reversal = Vector256.Create(
            (byte)15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
        Vector256<ulong> values = Avx2.Shuffle(Vector256.LoadUnsafe(ref blocks), reversal).AsUInt64();
        Add(values, Load(ref powers), Load(ref Unsafe.Add(ref powers, GhashKey.ToHalves)));
    }

    public readonly Vector128<ulong> Reduce() => GhashSum128.Reduce(Fold(_low), Fold(_middle), Fold(_high));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Add(Vector256<ulong> values, Vector256<ulong> powers, Vector256<ulong> halves)
    {
        _low ^= Pclmulqdq.V256.CarrylessMultiply(values, powers, 0x00);
        _middle ^= Pclmulqdq.V256.CarrylessMultiply(values ^ Swap(values), halves, 0x00);
        _high ^= Pclmulqdq.V256.CarrylessMultiply(values, powers, 0x11);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Swap(Vector256<ulong> value) => Avx2.Shuffle(value.AsUInt32(), 0x4E).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Load(ref Vector128<ulong> first) => Unsafe.As<Vector128<ulong>, Vector256<ulong>>(ref first);

    private static Vector128<ulong> Fold(Vector256<ulong> lanes) => lanes.GetLower() ^ lanes.GetUpper();
}
