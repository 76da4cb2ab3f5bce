using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Tunnel.Protocol.Crypto;

/// <summary>
/// AES-GCM (NIST SP 800-38D) on the processor's AES and carry-less multiplication instructions. It exists because the platform's
/// costs a fixed half a microsecond a call, several times what it takes to seal a datagram. Constant time.
/// </summary>
/// <typeparam name="TSum">How many blocks a step the hash takes.</typeparam>
internal sealed class AcceleratedAesGcm<TSum> : Aead
    where TSum : struct, IGhashSum
{
    private const int Block = AesBlock.BlockLength;

    // A pass counts in the last byte of its counter block only. Data begins at counter 2, so the first pass ends at 127 and each other
    // one begins at a multiple of 128.
    private const int PassBlocks = 128;
    private const int FirstCounter = 2;

    private readonly AesBlock _aes;
    private readonly GhashKey _ghash;

    /// <param name="key">16, 24 or 32 bytes.</param>
    public AcceleratedAesGcm(ReadOnlySpan<byte> key)
    {
        if (!IsSupported)
            throw new PlatformNotSupportedException("this processor lacks AES or carry-less multiplication");
        _aes = new AesBlock(key);
        _ghash = new GhashKey(_aes.Encrypt(Vector128<byte>.Zero));
    }

    public static bool IsSupported => AesRounds.IsSupported && TSum.IsSupported;

    public override void Seal(ReadOnlySpan<byte> nonce, Span<byte> inPlace, Span<byte> tag) =>
        Run(nonce, inPlace, inPlace, true).CopyTo(tag);

    public override bool TryOpen(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext)
    {
        plaintext = plaintext[..ciphertext.Length];
        Vector128<byte> expected = Run(nonce, ciphertext, plaintext, false);
        // One comparison of all sixteen bytes: where they differ does not show.
        if (tag.Length == TagLength && expected == Vector128.Create(tag))
            return true;
        plaintext.Clear();
        return false;
    }

    public override void Dispose()
    {
        _ghash.Clear();
        _aes.Dispose();
        base.Dispose();
    }

    private Vector128<byte> Run(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> source, Span<byte> destination, bool seal)
    {
        // The lengths' block, byte-reversed: no additional data, and the number of bits.
        Vector128<ulong> lengths = Vector128.Create((ulong)source.Length * 8, 0);
        Vector128<byte> counter = CounterBlock(nonce);
        Vector128<byte> mask = _aes.Encrypt(WithCounter(counter, 1));
        Vector128<ulong> hash = Vector128<ulong>.Zero;
        for (uint first = FirstCounter; ; first = (first / PassBlocks + 1) * PassBlocks)
        {
            int length = Math.Min(source.Length, (PassBlocks - (int)(first % PassBlocks)) * Block);
            bool last = length == source.Length;
            int blocks = (length + Block - 1) / Block + (last ? 1 : 0);
            var pass = new GcmPass<TSum>(_aes.RoundKeys, WithCounter(counter, first), ref _ghash.From(blocks), hash);
            if (seal)
                pass.Seal(destination[..length]);
            else
                pass.Open(source[..length], destination[..length]);
            if (last)
                pass.Add(lengths);
            hash = pass.Hash;
            if (last)
                return GhashKey.Reverse(hash.AsByte()).AsByte() ^ mask;
            source = source[length..];
            destination = destination[length..];
        }
    }

    private static Vector128<byte> CounterBlock(ReadOnlySpan<byte> nonce)
    {
        nonce = nonce[..NonceLength];
        ulong head = BinaryPrimitives.ReadUInt64LittleEndian(nonce);
        return Vector128.Create(head, BinaryPrimitives.ReadUInt32LittleEndian(nonce[8..])).AsByte();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> WithCounter(Vector128<byte> block, uint counter) =>
        block.AsUInt32().WithElement(3, BinaryPrimitives.ReverseEndianness(counter)).AsByte();
}
