namespace Tunnel.Protocol.Crypto;

/// <summary>
/// kcp-go's AEAD framing: 12 bytes of nonce, the encrypted payload, 16 bytes of tag; no additional data. "aes-128-gcm" is the peers';
/// "aes-256-gcm" and "chacha20-poly1305" are the same frame with another cipher, for our own pairs.
/// </summary>
internal sealed class AeadFraming : DatagramCipher
{
    private readonly Aead _aead;
    private readonly NonceGenerator _nonces;

    private AeadFraming(Aead aead, NonceGenerator nonces)
    {
        _aead = aead;
        _nonces = nonces;
    }

    public override int HeaderLength => Aead.NonceLength;

    public override int TrailerLength => Aead.TagLength;

    public static AeadFraming AesGcm(ReadOnlySpan<byte> key, NonceGenerator nonces) => new(Aead.CreateAesGcm(key), nonces);

    public static AeadFraming ChaCha20Poly1305(ReadOnlySpan<byte> key, NonceGenerator nonces) =>
        new(PlatformAead.ChaCha20Poly1305(key), nonces);

    public override void Seal(Span<byte> datagram)
    {
        Span<byte> nonce = datagram[..HeaderLength];
        _nonces.Fill12(nonce);
        _aead.Seal(nonce, datagram[HeaderLength..^TrailerLength], datagram[^TrailerLength..]);
    }

    public override bool TryOpen(ReadOnlySpan<byte> datagram, Span<byte> scratch, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (datagram.Length < Overhead)
            return false;
        Span<byte> plaintext = scratch[..(datagram.Length - Overhead)];
        ReadOnlySpan<byte> ciphertext = datagram[HeaderLength..^TrailerLength];
        if (!_aead.TryOpen(datagram[..HeaderLength], ciphertext, datagram[^TrailerLength..], plaintext))
            return false;
        payload = plaintext;
        return true;
    }

    public override void Dispose()
    {
        _aead.Dispose();
        base.Dispose();
    }
}
