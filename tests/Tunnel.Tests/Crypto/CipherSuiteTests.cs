using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Crypto;

public class CipherSuiteTests
{
    private static readonly int[] Lengths = [0, 1, 7, 8, 12, 15, 16, 17, 24, 63, 64, 100, 127, 128, 129, 1000, 1472];

    public static TheoryData<string> Names => [.. CipherSuite.Names];

    public static TheoryData<string> FramedNames => [.. CipherSuite.Names.Where(name => name != "null")];

    [Theory]
    [MemberData(nameof(Names))]
    public void RoundTrip(string name)
    {
        using DatagramCipher cipher = WireVectors.Cipher(name);
        byte[] scratch = new byte[1500];
        foreach (int length in Lengths)
        {
            byte[] datagram = Seal(cipher, length, out byte[] clear);
            byte[] before = [.. datagram];
            Assert.True(cipher.TryOpen(datagram, scratch, out ReadOnlySpan<byte> payload));
            Assert.Equal(clear, payload.ToArray());
            Assert.Equal(before, datagram);
        }
    }

    [Theory]
    [InlineData("aes", 20, 0)]
    [InlineData("salsa20", 20, 0)]
    [InlineData("none", 20, 0)]
    [InlineData("aes-128-gcm", 12, 16)]
    [InlineData("chacha20-poly1305", 12, 16)]
    [InlineData("null", 0, 0)]
    public void Overheads(string name, int header, int trailer)
    {
        using DatagramCipher cipher = WireVectors.Cipher(name);
        Assert.Equal((header, trailer, header + trailer), (cipher.HeaderLength, cipher.TrailerLength, cipher.Overhead));
    }

    /// <summary>A checksum finds any single flipped bit in what it covers; a tag finds one anywhere.</summary>
    [Theory]
    [MemberData(nameof(FramedNames))]
    public void EveryFlippedBitIsRejected(string name)
    {
        using DatagramCipher cipher = WireVectors.Cipher(name);
        byte[] datagram = Seal(cipher, 40, out _);
        byte[] scratch = new byte[1500];
        int first = FirstProtectedByte(name);
        for (int bit = first * 8; bit < datagram.Length * 8; bit++)
        {
            datagram[bit >> 3] ^= (byte)(1 << (bit & 7));
            Assert.False(cipher.TryOpen(datagram, scratch, out _), $"bit {bit}");
            datagram[bit >> 3] ^= (byte)(1 << (bit & 7));
        }
    }

    [Theory]
    [MemberData(nameof(FramedNames))]
    public void TruncatedDatagramsAreRejected(string name)
    {
        using DatagramCipher cipher = WireVectors.Cipher(name);
        byte[] datagram = Seal(cipher, 40, out _);
        for (int length = 0; length < datagram.Length; length++)
            Assert.False(cipher.TryOpen(datagram.AsSpan(0, length), new byte[1500], out _), $"length {length}");
    }

    [Theory]
    [MemberData(nameof(FramedNames))]
    public void AnotherKeyIsRejected(string name)
    {
        if (name == "none")
            return;
        using DatagramCipher cipher = WireVectors.Cipher(name);
        byte[] otherKey = WireVectors.Key;
        otherKey[0] ^= 1;
        using DatagramCipher other = CipherSuite.Create(name, otherKey, WireVectors.Nonces());
        Assert.False(other.TryOpen(Seal(cipher, 40, out _), new byte[1500], out _));
    }

    [Fact]
    public void TwoSealsOfTheSameDiffer()
    {
        foreach (string name in CipherSuite.Names.Where(name => name != "null"))
        {
            using DatagramCipher cipher = WireVectors.Cipher(name);
            Assert.NotEqual(Seal(cipher, 40, out _), Seal(cipher, 40, out _));
        }
    }

    [Fact]
    public void UnknownNamesAreRefusedWithTheKnownOnes()
    {
        var e = Assert.Throws<ArgumentException>(() => CipherSuite.Create("rot13", WireVectors.Key, WireVectors.Nonces()));
        Assert.Contains("'rot13'", e.Message, StringComparison.Ordinal);
        Assert.All(CipherSuite.Names, name => Assert.Contains(name, e.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void ShortKeysAreRefused() =>
        Assert.Throws<ArgumentException>(() => CipherSuite.Create("aes", new byte[31], WireVectors.Nonces()));

    /// <summary>The checksum does not cover the nonce; only where the nonce is chained into what follows does a flip there show.</summary>
    private static int FirstProtectedByte(string name) => name is "xor" or "none" or "salsa20" ? 16 : 0;

    private static byte[] Seal(DatagramCipher cipher, int length, out byte[] clear)
    {
        clear = new byte[length];
        new Prng((ulong)length).Fill(clear);
        byte[] datagram = new byte[length + cipher.Overhead];
        clear.CopyTo(datagram, cipher.HeaderLength);
        cipher.Seal(datagram);
        return datagram;
    }
}
