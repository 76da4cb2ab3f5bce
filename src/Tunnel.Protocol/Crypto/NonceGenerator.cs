using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Tunnel.Protocol.Crypto;

/// <summary>
/// Nonces that never repeat under one seed and cannot be predicted without it: AES-128 over a counter. The seed must be fresh and
/// secret (32 bytes from the system's generator) wherever the key is used again, that is, always except in tests.
/// </summary>
public sealed class NonceGenerator
{
    public const int SeedLength = 32;

    private readonly AesBlock _aes;
    private ulong _high;
    private ulong _low;
    private ulong _prefix;
    private uint _counter;

    public NonceGenerator(ReadOnlySpan<byte> seed)
    {
        if (seed.Length != SeedLength)
            throw new ArgumentException("the seed is 32 bytes", nameof(seed));
        _aes = new AesBlock(seed[..16]);
        _high = BinaryPrimitives.ReadUInt64LittleEndian(seed[16..]);
        _low = BinaryPrimitives.ReadUInt64LittleEndian(seed[24..]);
        _prefix = NextBlock().AsUInt64().ToScalar();
    }

    /// <summary>16 unpredictable bytes: the legacy framing needs a first block that nobody can guess.</summary>
    public void Fill16(Span<byte> destination) => NextBlock().CopyTo(destination);

    /// <summary>
    /// 12 bytes for an AEAD: 8 unpredictable bytes that belong to this generator and a 4-byte counter. Unlike 12 random bytes, they
    /// cannot collide within a generator, however many packets it seals.
    /// </summary>
    public void Fill12(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(destination, _prefix);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], _counter);
        if (++_counter == 0)
            _prefix = NextBlock().AsUInt64().ToScalar();
    }

    private Vector128<byte> NextBlock()
    {
        if (++_low == 0)
            _high++;
        return _aes.Encrypt(Vector128.Create(_high, _low).AsByte());
    }
}
