using System.Security.Cryptography;

namespace Tunnel.Protocol.Crypto;

/// <summary>The platform's own ciphers. A wrong tag costs an exception inside, which is slow when there is much junk.</summary>
internal sealed class PlatformAead : Aead
{
    private readonly AesGcm? _gcm;
    private readonly ChaCha20Poly1305? _chaCha;

    private PlatformAead(AesGcm? gcm, ChaCha20Poly1305? chaCha)
    {
        _gcm = gcm;
        _chaCha = chaCha;
    }

    public static PlatformAead AesGcm(ReadOnlySpan<byte> key) => new(new AesGcm(key, TagLength), null);

    public static PlatformAead ChaCha20Poly1305(ReadOnlySpan<byte> key) => new(null, new ChaCha20Poly1305(key));

    public override void Seal(ReadOnlySpan<byte> nonce, Span<byte> inPlace, Span<byte> tag)
    {
        if (_gcm is not null)
            _gcm.Encrypt(nonce, inPlace, inPlace, tag);
        else
            _chaCha!.Encrypt(nonce, inPlace, inPlace, tag);
    }

    public override bool TryOpen(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext)
    {
        try
        {
            if (_gcm is not null)
                _gcm.Decrypt(nonce, ciphertext, tag, plaintext);
            else
                _chaCha!.Decrypt(nonce, ciphertext, tag, plaintext);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            plaintext.Clear();
            return false;
        }
    }

    public override void Dispose()
    {
        _gcm?.Dispose();
        _chaCha?.Dispose();
        base.Dispose();
    }
}
