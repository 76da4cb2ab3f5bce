namespace Tunnel.Protocol.Crypto;

/// <summary>
/// An authenticated cipher with 96-bit nonces, 128-bit tags and no additional data. Nothing is allocated after construction.
/// </summary>
internal abstract class Aead : IDisposable
{
    public const int NonceLength = 12;
    public const int TagLength = 16;

    /// <summary>AES-GCM, as wide as this processor can.</summary>
    public static Aead CreateAesGcm(ReadOnlySpan<byte> key)
    {
        if (AcceleratedAesGcm<GhashSum512>.IsSupported)
            return new AcceleratedAesGcm<GhashSum512>(key);
        if (AcceleratedAesGcm<GhashSum256>.IsSupported)
            return new AcceleratedAesGcm<GhashSum256>(key);
        return AcceleratedAesGcm<GhashSum128>.IsSupported ? new AcceleratedAesGcm<GhashSum128>(key) : PlatformAead.AesGcm(key);
    }

    public abstract void Seal(ReadOnlySpan<byte> nonce, Span<byte> inPlace, Span<byte> tag);

    /// <summary>False, and a plaintext of zeros, if the tag is wrong.</summary>
    /// <param name="nonce">12 bytes.</param>
    /// <param name="ciphertext">What was sealed.</param>
    /// <param name="tag">16 bytes.</param>
    /// <param name="plaintext">As long as the ciphertext; the same memory, or memory apart from it.</param>
    public abstract bool TryOpen(ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> ciphertext, ReadOnlySpan<byte> tag, Span<byte> plaintext);

    public virtual void Dispose() => GC.SuppressFinalize(this);
}
