using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ArmAes = System.Runtime.Intrinsics.Arm.Aes;
using X86Aes = System.Runtime.Intrinsics.X86.Aes;

namespace Tunnel.Protocol.Crypto;

/// <summary>
/// One AES round on the processor's instructions, in a form that is the same for x86 and Arm: <see cref="First"/> with the first round
/// key, <see cref="Middle"/> for i from 1 to the last but one with the key at i - <see cref="KeyLag"/>, then <see cref="Last"/>.
/// </summary>
internal static class AesRounds
{
    public static bool IsSupported => X86Aes.IsSupported || ArmAes.IsSupported;

    /// <summary>Arm's AESE adds the round key before substituting, x86's AESENC at the end: on Arm keys sit one step earlier.</summary>
    public static int KeyLag => ArmAes.IsSupported ? 1 : 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> First(Vector128<byte> block, Vector128<byte> key) => ArmAes.IsSupported ? block : block ^ key;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Middle(Vector128<byte> block, Vector128<byte> key) =>
        ArmAes.IsSupported ? ArmAes.MixColumns(ArmAes.Encrypt(block, key)) : X86Aes.Encrypt(block, key);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Last(Vector128<byte> block, Vector128<byte> keyBeforeLast, Vector128<byte> lastKey) =>
        ArmAes.IsSupported ? ArmAes.Encrypt(block, keyBeforeLast) ^ lastKey : X86Aes.EncryptLast(block, lastKey);
}
