using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Tunnel.Protocol.Crypto;

/// <summary>
/// Full-block AES-CFB (NIST SP 800-38A, CFB-128) under the fixed initial vector of kcp-go; a last partial block is XORed with the
/// leading bytes of the keystream. The nonce in the datagram's first block makes each datagram differ.
/// </summary>
internal sealed class AesCfb : StreamTransform
{
    private const int Block = AesBlock.BlockLength;
    private const int BatchLength = 8 * Block;

    private static readonly Vector128<byte> InitialVector = Vector128.Create(
        0xA7, 0x73, 0x4F, 0x9C, 0x12, 0xAC, 0x1B, 0x01, 0xA4, 0x15, 0xF2, 0xC1, 0xFC, 0x78, 0xE6, (byte)0x6B);

    private readonly AesBlock _aes;

    public AesCfb(ReadOnlySpan<byte> key) => _aes = new AesBlock(key);

    public override void Encrypt(Span<byte> datagram)
    {
        Vector128<byte> previous = InitialVector;
        while (datagram.Length >= Block)
        {
            previous = _aes.Encrypt(previous) ^ Vector128.Create<byte>(datagram);
            previous.CopyTo(datagram);
            datagram = datagram[Block..];
        }

        XorTail(previous, datagram, datagram);
    }

    public override void Decrypt(ReadOnlySpan<byte> datagram, Span<byte> destination)
    {
        // Each keystream block is the encryption of the cipher-text block before it, so eight can be in flight.
        Vector128<byte> previous = InitialVector;
        while (AesRounds.IsSupported && datagram.Length >= BatchLength)
        {
            DecryptBatch(_aes.RoundKeys, previous, datagram[..BatchLength], destination[..BatchLength]);
            previous = Vector128.Create(datagram[(BatchLength - Block)..]);
            datagram = datagram[BatchLength..];
            destination = destination[BatchLength..];
        }

        while (datagram.Length >= Block)
        {
            Vector128<byte> input = Vector128.Create(datagram);
            (_aes.Encrypt(previous) ^ input).CopyTo(destination);
            previous = input;
            datagram = datagram[Block..];
            destination = destination[Block..];
        }

        XorTail(previous, datagram, destination);
    }

    public override void Dispose()
    {
        _aes.Dispose();
        base.Dispose();
    }

    private static void DecryptBatch(
        ReadOnlySpan<Vector128<byte>> roundKeys, Vector128<byte> previous, ReadOnlySpan<byte> datagram, Span<byte> destination)
    {
        ref Vector128<byte> keys = ref MemoryMarshal.GetReference(roundKeys);
        ref byte source = ref MemoryMarshal.GetReference(datagram);
        ref byte target = ref MemoryMarshal.GetReference(destination);
        Vector128<byte> k = keys;
        Vector128<byte> b0 = AesRounds.First(previous, k), b1 = AesRounds.First(Load(ref source, 0), k);
        Vector128<byte> b2 = AesRounds.First(Load(ref source, 1), k), b3 = AesRounds.First(Load(ref source, 2), k);
        Vector128<byte> b4 = AesRounds.First(Load(ref source, 3), k), b5 = AesRounds.First(Load(ref source, 4), k);
        Vector128<byte> b6 = AesRounds.First(Load(ref source, 5), k), b7 = AesRounds.First(Load(ref source, 6), k);
        for (int i = 1; i < roundKeys.Length - 1; i++)
        {
            k = Unsafe.Add(ref keys, i - AesRounds.KeyLag);
            b0 = AesRounds.Middle(b0, k);
            b1 = AesRounds.Middle(b1, k);
            b2 = AesRounds.Middle(b2, k);
            b3 = AesRounds.Middle(b3, k);
            b4 = AesRounds.Middle(b4, k);
            b5 = AesRounds.Middle(b5, k);
            b6 = AesRounds.Middle(b6, k);
            b7 = AesRounds.Middle(b7, k);
        }

        k = roundKeys[^2];
        Vector128<byte> last = roundKeys[^1];
        Store(AesRounds.Last(b0, k, last) ^ Load(ref source, 0), ref target, 0);
        Store(AesRounds.Last(b1, k, last) ^ Load(ref source, 1), ref target, 1);
        Store(AesRounds.Last(b2, k, last) ^ Load(ref source, 2), ref target, 2);
        Store(AesRounds.Last(b3, k, last) ^ Load(ref source, 3), ref target, 3);
        Store(AesRounds.Last(b4, k, last) ^ Load(ref source, 4), ref target, 4);
        Store(AesRounds.Last(b5, k, last) ^ Load(ref source, 5), ref target, 5);
        Store(AesRounds.Last(b6, k, last) ^ Load(ref source, 6), ref target, 6);
        Store(AesRounds.Last(b7, k, last) ^ Load(ref source, 7), ref target, 7);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Load(ref byte start, int block) => Vector128.LoadUnsafe(ref start, (nuint)(block * Block));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<byte> value, ref byte start, int block) => value.StoreUnsafe(ref start, (nuint)(block * Block));

    private void XorTail(Vector128<byte> previous, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (source.IsEmpty)
            return;
        Vector128<byte> keystream = _aes.Encrypt(previous);
        for (int i = 0; i < source.Length; i++)
            destination[i] = (byte)(source[i] ^ keystream[i]);
    }
}
