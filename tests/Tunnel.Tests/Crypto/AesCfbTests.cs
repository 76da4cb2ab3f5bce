using System.Security.Cryptography;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Crypto;

public class AesCfbTests
{
    private static readonly byte[] InitialVector = Hex.Bytes("a7734f9c12ac1b01a415f2c1fc78e66b");

    public static TheoryData<int> KeyLengths => [16, 24, 32];

    [Theory]
    [MemberData(nameof(KeyLengths))]
    public void AgreesWithTheTextbook(int keyLength)
    {
        byte[] key = Hex.Counting(keyLength);
        using var cfb = new AesCfb(key);
        using Aes platform = Aes.Create();
        platform.Key = key;
        foreach (int length in Enumerable.Range(0, 101).Append(127).Append(128).Append(129).Append(255).Append(256).Append(1500))
        {
            byte[] clear = new byte[length];
            new Prng((ulong)length).Fill(clear);
            byte[] expected = Textbook(platform, clear);
            byte[] actual = [.. clear];
            cfb.Encrypt(actual);
            Assert.Equal(expected, actual);
            byte[] opened = new byte[length + 7];
            cfb.Decrypt(actual, opened);
            Assert.Equal(clear, opened[..length]);
            Assert.All(opened[length..], b => Assert.Equal(0, b));
        }
    }

    /// <summary>CFB byte by byte: each keystream block is the encryption of the cipher-text block before it.</summary>
    private static byte[] Textbook(Aes platform, byte[] clear)
    {
        byte[] result = new byte[clear.Length];
        byte[] register = InitialVector;
        for (int offset = 0; offset < clear.Length; offset += 16)
        {
            byte[] keystream = platform.EncryptEcb(register, PaddingMode.None);
            for (int i = offset; i < Math.Min(offset + 16, clear.Length); i++)
                result[i] = (byte)(clear[i] ^ keystream[i - offset]);
            if (offset + 16 <= clear.Length)
                register = result[offset..(offset + 16)];
        }

        return result;
    }
}
