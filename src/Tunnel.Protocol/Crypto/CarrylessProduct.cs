using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ArmAes = System.Runtime.Intrinsics.Arm.Aes;

namespace Tunnel.Protocol.Crypto;

/// <summary>Products of 64-bit polynomials over GF(2), 128 bits wide: PCLMULQDQ on x86, PMULL on Arm. Constant time.</summary>
internal static class CarrylessProduct
{
    public static bool IsSupported => Pclmulqdq.IsSupported || ArmAes.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> LowLow(Vector128<ulong> a, Vector128<ulong> b) =>
        ArmAes.IsSupported
            ? ArmAes.PolynomialMultiplyWideningLower(a.GetLower(), b.GetLower())
            : Pclmulqdq.CarrylessMultiply(a, b, 0x00);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> HighHigh(Vector128<ulong> a, Vector128<ulong> b) =>
        ArmAes.IsSupported ? ArmAes.PolynomialMultiplyWideningUpper(a, b) : Pclmulqdq.CarrylessMultiply(a, b, 0x11);

    /// <summary>The low half of <paramref name="a"/> by the high half of <paramref name="b"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ulong> LowHigh(Vector128<ulong> a, Vector128<ulong> b) =>
        ArmAes.IsSupported
            ? ArmAes.PolynomialMultiplyWideningLower(a.GetLower(), b.GetUpper())
            : Pclmulqdq.CarrylessMultiply(a, b, 0x10);
}
