using System.Buffers.Binary;

namespace Tunnel.Protocol.Crypto;

/// <summary>
/// kcp-go's legacy framing: 16 bytes of nonce, a CRC-32 (IEEE, little-endian) of what follows, the payload; all of it through the
/// transformation. There is no authentication, only the checksum.
/// </summary>
internal sealed class ChecksumFraming : DatagramCipher
{
    private const int NonceLength = 16;
    private const int ChecksumLength = 4;

    private readonly StreamTransform? _transform;
    private readonly NonceGenerator _nonces;

    /// <param name="transform">Null for "none": framed but in clear.</param>
    /// <param name="nonces">Where the nonces come from.</param>
    public ChecksumFraming(StreamTransform? transform, NonceGenerator nonces)
    {
        _transform = transform;
        _nonces = nonces;
    }

    public override int HeaderLength => NonceLength + ChecksumLength;

    public override int TrailerLength => 0;

    public override void Seal(Span<byte> datagram)
    {
        _nonces.Fill16(datagram);
        BinaryPrimitives.WriteUInt32LittleEndian(datagram[NonceLength..], Crc32.Compute(datagram[HeaderLength..]));
        _transform?.Encrypt(datagram);
    }

    public override bool TryOpen(ReadOnlySpan<byte> datagram, Span<byte> scratch, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (datagram.Length < HeaderLength)
            return false;
        ReadOnlySpan<byte> clear = datagram;
        if (_transform is not null)
        {
            _transform.Decrypt(datagram, scratch);
            clear = scratch[..datagram.Length];
        }

        payload = clear[HeaderLength..];
        return BinaryPrimitives.ReadUInt32LittleEndian(clear[NonceLength..]) == Crc32.Compute(payload);
    }

    public override void Dispose()
    {
        _transform?.Dispose();
        base.Dispose();
    }
}
