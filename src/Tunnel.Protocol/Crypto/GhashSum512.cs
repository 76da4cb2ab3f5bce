using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Tunnel.Protocol.Crypto;

/// <summary>Four blocks a step: x86 with VPCLMULQDQ and AVX-512.</summary>
internal struct GhashSum512 : IGhashSum
{
    private Vector512<ulong> _low;
    private Vector512<ulong> _middle;
    private Vector512<ulong> _high;

    // Where wide vectors slow the processor down, the runtime says that they are not accelerated.
    public static bool IsSupported => Pclmulqdq.V512.IsSupported && Avx512BW.IsSupported && Vector512.IsHardwareAccelerated;

    public static int Lanes => 4;

    public void Add(Vector128<ulong> value, ref Vector128<ulong> power) =>
        Add(
            value.ToVector256().ToVector512(),
            power.ToVector256().ToVector512(),
            Unsafe.Add(ref power, GhashKey.ToHalves).ToVector256().ToVector512());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void AddLanes(ref byte blocks, ref Vector128<ulong> powers)
    {
        Vector512<byte> reversal = Vector512.Create(
            (byte)15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0,
            15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
        Vector512<ulong> values = Avx512BW.Shuffle(Vector512.LoadUnsafe(ref blocks), reversal).AsUInt64();
        Add(values, Load(ref powers), Load(ref Unsafe.Add(ref powers, GhashKey.ToHalves)));
    }

    public readonly Vector128<ulong> Reduce() => GhashSum128.Reduce(Fold(_low), Fold(_middle), Fold(_high));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Add(Vector512<ulong> values, Vector512<ulong> powers, Vector512<ulong> halves)
    {
        _low ^= Pclmulqdq.V512.CarrylessMultiply(values, powers, 0x00);
        _middle ^= Pclmulqdq.V512.CarrylessMultiply(values ^ Swap(values), halves, 0x00);
        _high ^= Pclmulqdq.V512.CarrylessMultiply(values, powers, 0x11);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Swap(Vector512<ulong> value) => Avx512F.Shuffle(value.AsUInt32(), 0x4E).AsUInt64();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<ulong> Load(ref Vector128<ulong> first) => Unsafe.As<Vector128<ulong>, Vector512<ulong>>(ref first);

    private static Vector128<ulong> Fold(Vector512<ulong> lanes)
    {
        Vector256<ulong> half = lanes.GetLower() ^ lanes.GetUpper();
        return half.GetLower() ^ half.GetUpper();
    }
}
