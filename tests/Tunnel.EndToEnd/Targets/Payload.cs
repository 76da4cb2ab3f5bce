using System.Security.Cryptography;
using Tunnel.Protocol.Primitives;

namespace Tunnel.EndToEnd.Targets;

/// <summary>Bytes that a seed and a length name, so that both ends know them without sharing a file.</summary>
internal static class Payload
{
    public const int MiB = 1 << 20;

    private const int BlockLength = 64 * 1024;

    /// <summary>The bytes, a block at a time; the block is valid until the next is taken.</summary>
    public static IEnumerable<ReadOnlyMemory<byte>> Blocks(int seed, long length)
    {
        // Not the runtime's own, which with a seed makes them byte by byte: both ends would work longer for that than for the transfer's hash.
        var random = new Prng((ulong)seed);
        byte[] block = new byte[BlockLength];
        for (long left = length; left > 0; left -= BlockLength)
        {
            random.Fill(block);
            yield return block.AsMemory(0, (int)Math.Min(left, BlockLength));
        }
    }

    public static byte[] Bytes(int seed, int length)
    {
        byte[] bytes = new byte[length];
        int have = 0;
        foreach (ReadOnlyMemory<byte> block in Blocks(seed, length))
        {
            block.CopyTo(bytes.AsMemory(have));
            have += block.Length;
        }

        return bytes;
    }

    public static string Hash(int seed, long length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (ReadOnlyMemory<byte> block in Blocks(seed, length))
            hash.AppendData(block.Span);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public static string Hash(ReadOnlySpan<byte> data) => Convert.ToHexStringLower(SHA256.HashData(data));

    public static async Task<string> HashAsync(Stream stream) => Convert.ToHexStringLower(await SHA256.HashDataAsync(stream));

    public static void WriteFile(string path, int seed, long length)
    {
        using FileStream file = File.Create(path);
        foreach (ReadOnlyMemory<byte> block in Blocks(seed, length))
            file.Write(block.Span);
    }
}
