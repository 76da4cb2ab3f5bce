namespace Tunnel.Protocol.Crypto;

/// <summary>The ciphers by the names that configuration and the peers use.</summary>
public static class CipherSuite
{
    /// <summary>Every name that <see cref="Create"/> takes.</summary>
    public static readonly IReadOnlyList<string> Names =
    [
        "aes", "aes-128", "aes-192", "aes-128-gcm", "aes-256-gcm", "chacha20-poly1305", "salsa20", "xor", "none", "null",
    ];

    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="masterKey">32 bytes from <see cref="KeyDerivation"/>; each cipher takes its leading bytes.</param>
    /// <param name="nonces">Where nonces come from; its own for each instance.</param>
    /// <exception cref="ArgumentException">The name is not known or the key is not 32 bytes.</exception>
    public static DatagramCipher Create(string name, ReadOnlySpan<byte> masterKey, NonceGenerator nonces)
    {
        if (masterKey.Length != KeyDerivation.MasterKeyLength)
            throw new ArgumentException("the master key is 32 bytes", nameof(masterKey));
        return name switch
        {
            "aes" => new ChecksumFraming(new AesCfb(masterKey), nonces),
            "aes-192" => new ChecksumFraming(new AesCfb(masterKey[..24]), nonces),
            "aes-128" => new ChecksumFraming(new AesCfb(masterKey[..16]), nonces),
            "salsa20" => new ChecksumFraming(new Salsa20(masterKey), nonces),
            "xor" => new ChecksumFraming(new XorTable(masterKey), nonces),
            "none" => new ChecksumFraming(null, nonces),
            "null" => new NullFraming(),
            "aes-128-gcm" => AeadFraming.AesGcm(masterKey[..16], nonces),
            "aes-256-gcm" => AeadFraming.AesGcm(masterKey, nonces),
            "chacha20-poly1305" => AeadFraming.ChaCha20Poly1305(masterKey, nonces),
            _ => throw new ArgumentException($"cipher '{name}' is not one of {string.Join(", ", Names)}", nameof(name)),
        };
    }
}
