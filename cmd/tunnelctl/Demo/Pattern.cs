using System.Security.Cryptography;

namespace Tunnel.Ctl.Demo;

/// <summary>Bytes that both ends of the demo can make from a seed: no compressor or cache could guess them, and no file is needed.</summary>
internal sealed class Pattern : IDisposable
{
    public const int BlockLength = 64 * 1024;

    private readonly Aes _aes = Aes.Create();
    private readonly byte[] _counter = new byte[BlockLength];
    private long _next;

    public Pattern(int seed)
    {
        _aes.Key = SHA256.HashData(BitConverter.GetBytes(seed));
    }

    /// <summary>The next block.</summary>
    public void Fill(Span<byte> block)
    {
        for (int i = 0; i < BlockLength; i += 16)
            BitConverter.TryWriteBytes(_counter.AsSpan(i), _next++);
        _aes.EncryptEcb(_counter, block[..BlockLength], PaddingMode.None);
    }

    /// <summary>The SHA-256 of the first blocks.</summary>
    public static string Hash(int seed, int blocks)
    {
        using var pattern = new Pattern(seed);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] block = new byte[BlockLength];
        for (int i = 0; i < blocks; i++)
        {
            pattern.Fill(block);
            hash.AppendData(block);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public void Dispose() => _aes.Dispose();
}
