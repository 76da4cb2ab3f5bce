using System.Security.Cryptography;
using System.Text;

namespace Tunnel.Protocol.Crypto;

/// <summary>From the shared secret to the 32-byte master key that every cipher slices (paqet and kcptun derive it differently).</summary>
public static class KeyDerivation
{
    public const int MasterKeyLength = 32;

    private const int PaqetIterations = 100_000;
    private const int KcptunIterations = 4096;

    /// <summary>PBKDF2-HMAC-SHA256 over the secret's UTF-8 bytes, salt "paqet", 100,000 iterations: paqet and its guard fork.</summary>
    public static byte[] Paqet(string secret) =>
        Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(secret), "paqet"u8, PaqetIterations, HashAlgorithmName.SHA256, MasterKeyLength);

    /// <summary>PBKDF2-HMAC-SHA1 over the secret's UTF-8 bytes, salt "kcp-go", 4,096 iterations: kcptun.</summary>
    public static byte[] Kcptun(string secret)
    {
#pragma warning disable CA5379 // SHA-1 is the peer's choice; PBKDF2 over it is not broken by collisions.
        return Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(secret), "kcp-go"u8, KcptunIterations, HashAlgorithmName.SHA1, MasterKeyLength);
#pragma warning restore CA5379
    }
}
