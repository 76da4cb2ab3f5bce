using System.Buffers.Binary;
using System.Numerics;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Crypto;

public class Salsa20Tests
{
    /// <summary>eSTREAM, Salsa20/20 with 256-bit keys, set 1, vector 0.</summary>
    [Fact]
    public void PublishedKeystream()
    {
        byte[] key = new byte[32];
        key[0] = 0x80;
        using var salsa = new Salsa20(key);
        byte[] datagram = new byte[8 + 64];
        salsa.Encrypt(datagram);
        Assert.Equal(new byte[8], datagram[..8]);
        Assert.Equal(
            "e3be8fdd8beca2e3ea8ef9475b29a6e7003951e1097a5c38d23b7a5fad9f6844"
            + "b22c97559e2723c7cbbd3fe4fc8d9a0744652a83e72a9c461876af4d7ef1a117",
            Hex.Of(datagram.AsSpan(8)));
    }

    [Fact]
    public void AgreesWithTheSpecification()
    {
        byte[] key = WireVectors.Key;
        using var salsa = new Salsa20(key);
        foreach (int length in Enumerable.Range(0, 201).Append(1499).Append(1500))
        {
            byte[] clear = new byte[length];
            new Prng((ulong)length + 1).Fill(clear);
            byte[] sealedBytes = [.. clear];
            salsa.Encrypt(sealedBytes);
            Assert.Equal(Specified(key, clear), sealedBytes);
            byte[] opened = new byte[length];
            salsa.Decrypt(sealedBytes, opened);
            Assert.Equal(clear, opened);
        }
    }

    private static byte[] Specified(byte[] key, byte[] clear)
    {
        byte[] result = [.. clear];
        for (int i = 8; i < clear.Length; i++)
            result[i] ^= Block(key, clear[..8], (ulong)((i - 8) / 64))[(i - 8) % 64];
        return result;
    }

    /// <summary>The specification's matrix form: rows and columns of a 4 by 4 matrix of words.</summary>
    private static byte[] Block(byte[] key, byte[] nonce, ulong counter)
    {
        byte[] input = [.. "expa"u8, .. key[..16], .. "nd 3"u8, .. nonce, .. new byte[8], .. "2-by"u8, .. key[16..], .. "te k"u8];
        BinaryPrimitives.WriteUInt64LittleEndian(input.AsSpan(32), counter);
        uint[] start = [.. Enumerable.Range(0, 16).Select(i => BinaryPrimitives.ReadUInt32LittleEndian(input.AsSpan(4 * i)))];
        uint[] m = [.. start];
        for (int round = 0; round < 20; round++)
        {
            for (int column = 0; column < 4; column++)
            {
                for (int step = 1; step <= 4; step++)
                {
                    int rotation = step switch { 1 => 7, 2 => 9, 3 => 13, _ => 18 };
                    int At(int row) => ((row + column) % 4 * 4) + column;
                    m[At(step % 4)] ^= BitOperations.RotateLeft(m[At((step + 3) % 4)] + m[At((step + 2) % 4)], rotation);
                }
            }

            m = [.. Enumerable.Range(0, 16).Select(i => m[i % 4 * 4 + i / 4])];
        }

        byte[] output = new byte[64];
        for (int i = 0; i < 16; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(output.AsSpan(4 * i), m[i] + start[i]);
        return output;
    }
}
