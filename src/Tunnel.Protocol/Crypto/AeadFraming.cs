using System.Security.Cryptography;

namespace Tunnel.Protocol.Crypto;

/// <summary>
/// kcp-go's AEAD framing: 12 bytes of nonce, the encrypted payload, 16 bytes of tag; no additional data. "aes-128-gcm" is the peers';
/// "aes-256-gcm" and "chacha20-poly1305" are the same frame with another cipher, for our own pairs.
/// </summary>
internal sealed class AeadFraming : DatagramCipher
{
    private const int NonceLength = 12;
    private const int TagLength = 16;

    private readonly AesGcm? _gcm;
    private readonly ChaCha20Poly1305? _chaCha;
    private readonly NonceGenerator _nonces;

    private AeadFraming(AesGcm? gcm, ChaCha20Poly1305? chaCha, NonceGenerator nonces)
    {
        _gcm = gcm;
        _chaCha = chaCha;
        _nonces = nonces;
    }

    public override int HeaderLength => NonceLength;

    public override int TrailerLength => TagLength;

    public static AeadFraming AesGcm(ReadOnlySpan<byte> key, NonceGenerator nonces) => new(new AesGcm(key, TagLength), null, nonces);

    public static AeadFraming ChaCha20Poly1305(ReadOnlySpan<byte> key, NonceGenerator nonces) => new(null, new ChaCha20Poly1305(key), nonces);

    public override void Seal(Span<byte> datagram)
    {
        Span<byte> nonce = datagram[..NonceLength];
        Span<byte> payload = datagram[NonceLength..^TagLength];
        Span<byte> tag = datagram[^TagLength..];
        _nonces.Fill12(nonce);
        if (_gcm is not null)
            _gcm.Encrypt(nonce, payload, payload, tag);
        else
            _chaCha!.Encrypt(nonce, payload, payload, tag);
    }

    public override bool TryOpen(ReadOnlySpan<byte> datagram, Span<byte> scratch, out ReadOnlySpan<byte> payload)
    {
        payload = default;
        if (datagram.Length < NonceLength + TagLength)
            return false;
        Span<byte> plaintext = scratch[..(datagram.Length - NonceLength - TagLength)];
        try
        {
            Decrypt(datagram, plaintext);
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }

        payload = plaintext;
        return true;
    }

    public override void Dispose()
    {
        _gcm?.Dispose();
        _chaCha?.Dispose();
        base.Dispose();
    }

    private void Decrypt(ReadOnlySpan<byte> datagram, Span<byte> plaintext)
    {
        ReadOnlySpan<byte> nonce = datagram[..NonceLength];
        ReadOnlySpan<byte> ciphertext = datagram[NonceLength..^TagLength];
        ReadOnlySpan<byte> tag = datagram[^TagLength..];
        if (_gcm is not null)
            _gcm.Decrypt(nonce, ciphertext, tag, plaintext);
        else
            _chaCha!.Decrypt(nonce, ciphertext, tag, plaintext);
    }
}
