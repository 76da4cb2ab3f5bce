using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using ArmAes = System.Runtime.Intrinsics.Arm.Aes;
using X86Aes = System.Runtime.Intrinsics.X86.Aes;

namespace Tunnel.Protocol.Crypto;

/// <summary>
/// The AES block cipher, encrypting direction (FIPS 197), on the processor's AES instructions where it has them (x86 AES-NI, Arm
/// AES) and on the platform's implementation otherwise. Constant time in either case.
/// </summary>
internal sealed class AesBlock : IDisposable
{
    public const int BlockLength = 16;

    private readonly Vector128<byte>[] _roundKeys;
    private readonly Aes? _platform;
    private readonly byte[] _platformBlock = [];

    /// <param name="key">16, 24 or 32 bytes.</param>
    public AesBlock(ReadOnlySpan<byte> key)
    {
        _roundKeys = Expand(key);
        if (AesRounds.IsSupported)
            return;
        _platform = Aes.Create();
        _platform.Key = key.ToArray();
        _platformBlock = new byte[BlockLength];
    }

    /// <summary>Round keys in order; 11, 13 or 15 of them.</summary>
    public ReadOnlySpan<Vector128<byte>> RoundKeys => _roundKeys;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<byte> Encrypt(Vector128<byte> block)
    {
        if (X86Aes.IsSupported)
            return EncryptX86(_roundKeys, block);
        return ArmAes.IsSupported ? EncryptArm(_roundKeys, block) : EncryptPlatform(block);
    }

    public void Dispose() => _platform?.Dispose();

    // Written out for either processor, because CFB waits for every block in turn and the compiler makes the shared form slower.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> EncryptX86(Vector128<byte>[] keys, Vector128<byte> block)
    {
        block ^= keys[0];
        for (int i = 1; i < keys.Length - 1; i++)
            block = X86Aes.Encrypt(block, keys[i]);
        return X86Aes.EncryptLast(block, keys[^1]);
    }

    private static Vector128<byte> EncryptArm(Vector128<byte>[] keys, Vector128<byte> block)
    {
        // AESE adds the round key before substituting, so the keys sit one step earlier than on x86.
        for (int i = 0; i < keys.Length - 2; i++)
            block = ArmAes.MixColumns(ArmAes.Encrypt(block, keys[i]));
        return ArmAes.Encrypt(block, keys[^2]) ^ keys[^1];
    }

    private Vector128<byte> EncryptPlatform(Vector128<byte> block)
    {
        Span<byte> input = stackalloc byte[BlockLength];
        block.CopyTo(input);
        _platform!.EncryptEcb(input, _platformBlock, PaddingMode.None);
        return Vector128.Create<byte>(_platformBlock);
    }

    /// <summary>The key schedule (FIPS 197, section 5.2), in plain code: it runs once a key.</summary>
    private static Vector128<byte>[] Expand(ReadOnlySpan<byte> key)
    {
        if (key.Length is not (16 or 24 or 32))
            throw new ArgumentException("an AES key is 16, 24 or 32 bytes", nameof(key));
        int words = key.Length / 4;
        int rounds = words + 6;
        Span<byte> w = stackalloc byte[(rounds + 1) * BlockLength];
        key.CopyTo(w);
        Span<byte> t = stackalloc byte[4];
        byte rcon = 1;
        for (int i = words; i < (rounds + 1) * 4; i++)
        {
            w.Slice((i - 1) * 4, 4).CopyTo(t);
            if (i % words == 0)
            {
                (t[0], t[1], t[2], t[3]) = ((byte)(Substitute(t[1]) ^ rcon), Substitute(t[2]), Substitute(t[3]), Substitute(t[0]));
                rcon = Double(rcon);
            }
            else if (words == 8 && i % words == 4)
            {
                foreach (ref byte b in t)
                    b = Substitute(b);
            }

            for (int j = 0; j < 4; j++)
                w[i * 4 + j] = (byte)(w[(i - words) * 4 + j] ^ t[j]);
        }

        return MemoryMarshal.Cast<byte, Vector128<byte>>(w).ToArray();
    }

    /// <summary>The S-box by its definition (inverse in GF(2^8), then the affine map), without a table to be looked up by secrets.</summary>
    private static byte Substitute(byte value)
    {
        byte inverse = value;
        // x^254 is the inverse: six square-and-multiply steps, then one square.
        for (int i = 0; i < 6; i++)
            inverse = Multiply(Multiply(inverse, inverse), value);
        inverse = Multiply(inverse, inverse);
        int s = inverse | inverse << 8;
        return (byte)(inverse ^ s >> 7 ^ s >> 6 ^ s >> 5 ^ s >> 4 ^ 0x63);
    }

    private static byte Multiply(byte a, byte b)
    {
        int product = 0;
        for (int bit = 0; bit < 8; bit++)
        {
            product ^= -(b >> bit & 1) & a;
            a = Double(a);
        }

        return (byte)product;
    }

    private static byte Double(byte a) => (byte)(a << 1 ^ (-(a >> 7) & 0x1B));
}
