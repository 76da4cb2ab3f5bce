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
        Span<Vector128<byte>> keystream = stackalloc Vector128<byte>[8];
        Vector128<byte> previous = InitialVector;
        while (datagram.Length >= 8 * Block)
        {
            ReadOnlySpan<Vector128<byte>> input = MemoryMarshal.Cast<byte, Vector128<byte>>(datagram[..(8 * Block)]);
            Span<Vector128<byte>> output = MemoryMarshal.Cast<byte, Vector128<byte>>(destination);
            keystream[0] = previous;
            input[..7].CopyTo(keystream[1..]);
            _aes.Encrypt8(keystream);
            previous = input[7];
            for (int i = 0; i < 8; i++)
                output[i] = input[i] ^ keystream[i];
            datagram = datagram[(8 * Block)..];
            destination = destination[(8 * Block)..];
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

    private void XorTail(Vector128<byte> previous, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (source.IsEmpty)
            return;
        Vector128<byte> keystream = _aes.Encrypt(previous);
        for (int i = 0; i < source.Length; i++)
            destination[i] = (byte)(source[i] ^ keystream[i]);
    }
}
