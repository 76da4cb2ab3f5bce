using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Crypto;

public class AesBlockTests
{
    /// <summary>FIPS 197, appendix C.</summary>
    [Theory]
    [InlineData(16, "69c4e0d86a7b0430d8cdb78070b4c55a")]
    [InlineData(24, "dda97ca4864cdfe06eaf70a0ec0d7191")]
    [InlineData(32, "8ea2b7ca516745bfeafc49904b496089")]
    public void PublishedBlocks(int keyLength, string expected)
    {
        using var aes = new AesBlock(Hex.Counting(keyLength));
        Assert.Equal(expected, Encrypt(aes, Hex.Bytes("00112233445566778899aabbccddeeff")));
    }

    /// <summary>FIPS 197, appendix A: the last round key.</summary>
    [Theory]
    [InlineData("2b7e151628aed2a6abf7158809cf4f3c", 11, "d014f9a8c9ee2589e13f0cc8b6630ca6")]
    [InlineData("8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b", 13, "e98ba06f448c773c8ecc720401002202")]
    [InlineData("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4", 15, "fe4890d1e6188d0b046df344706c631e")]
    public void PublishedKeySchedules(string key, int count, string last)
    {
        byte[] keyBytes = Hex.Bytes(key);
        using var aes = new AesBlock(keyBytes);
        Assert.Equal(count, aes.RoundKeys.Length);
        Assert.Equal(keyBytes[..16], ToBytes(aes.RoundKeys[0]));
        Assert.Equal(last, Hex.Of(ToBytes(aes.RoundKeys[^1])));
    }

    [Theory]
    [InlineData(16)]
    [InlineData(24)]
    [InlineData(32)]
    public void AgreesWithThePlatform(int keyLength) => TestSeed.Run(200, seed =>
    {
        var random = new Prng(seed);
        byte[] key = new byte[keyLength], block = new byte[16];
        random.Fill(key);
        random.Fill(block);
        using var aes = new AesBlock(key);
        using Aes platform = Aes.Create();
        platform.Key = key;
        Assert.Equal(Hex.Of(platform.EncryptEcb(block, PaddingMode.None)), Encrypt(aes, block));
    });

    [Theory]
    [InlineData(0)]
    [InlineData(15)]
    [InlineData(33)]
    public void RefusesOtherKeyLengths(int length) => Assert.Throws<ArgumentException>(() => new AesBlock(new byte[length]));

    private static string Encrypt(AesBlock aes, byte[] block) => Hex.Of(ToBytes(aes.Encrypt(Vector128.Create<byte>(block))));

    private static byte[] ToBytes(Vector128<byte> vector)
    {
        byte[] bytes = new byte[16];
        vector.CopyTo(bytes);
        return bytes;
    }
}
