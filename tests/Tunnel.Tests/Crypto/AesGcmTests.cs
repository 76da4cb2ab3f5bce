using System.Security.Cryptography;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Crypto;

/// <summary>AES-GCM in every width that this processor has, and the platform's behind the same interface.</summary>
public class AesGcmTests
{
    /// <summary>Around one block, one batch of eight, two batches, and a datagram; 2016 and 2048 more are where a pass ends.</summary>
    private static readonly int[] Lengths =
    [
        0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 111, 112, 113, 127, 128, 129, 143, 144, 145, 255, 256, 257, 1350, 1500,
        2000, 2015, 2016, 2017, 2032, 4063, 4064, 4065, 9000, 65536,
    ];

    /// <summary>Lanes of the hash; 0 is the platform.</summary>
    public static TheoryData<int> Widths => [.. AesGcmWidths.Supported];

    [Theory]
    [MemberData(nameof(Widths))]
    public void PublishedVectors(int width)
    {
        foreach (GcmVector vector in GcmVector.Published)
        {
            using Aead aead = AesGcmWidths.Create(width, vector.Key);
            byte[] data = [.. vector.Plaintext], tag = new byte[16];
            aead.Seal(vector.Nonce, data, tag);
            Assert.Equal((Hex.Of(vector.Ciphertext), Hex.Of(vector.Tag)), (Hex.Of(data), Hex.Of(tag)));
            Assert.True(aead.TryOpen(vector.Nonce, data, tag, data));
            Assert.Equal(vector.Plaintext, data);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void AgreesWithThePlatformAtEdges(int width)
    {
        foreach (int length in Lengths)
            AgreesWithThePlatform(width, new Prng((ulong)length), length);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void AgreesWithThePlatformAtAnyLength(int width) => TestSeed.Run(2000, seed =>
    {
        var random = new Prng(seed);
        AgreesWithThePlatform(width, random, (int)(random.NextUInt64() % 2001));
    });

    [Theory]
    [MemberData(nameof(Widths))]
    public void EveryFlippedBitIsRejected(int width)
    {
        foreach (int length in new[] { 0, 1, 16, 17, 127, 128, 129, 257 })
        {
            using Aead aead = Sealed(width, length, out byte[] data, out byte[] tag);
            EveryFlip(data, flipped => AssertRejected(aead, flipped, tag));
            EveryFlip(tag, flipped => AssertRejected(aead, data, flipped));
            EveryFlip(Nonce, flipped => Assert.False(aead.TryOpen(flipped, data, tag, new byte[length])));
            Assert.True(aead.TryOpen(Nonce, data, tag, new byte[length]));
        }
    }

    /// <summary>Tags that a careless comparison would let pass.</summary>
    [Theory]
    [MemberData(nameof(Widths))]
    public void OtherTagsAreRejected(int width)
    {
        using Aead aead = Sealed(width, 100, out byte[] data, out byte[] tag);
        AssertRejected(aead, data, new byte[16]);
        AssertRejected(aead, data, [.. tag.Select(b => (byte)~b)]);
        AssertRejected(aead, data, [.. tag.Reverse()]);
        AssertRejected(aead, data, [.. tag[..8], .. new byte[8]]);
        AssertRejected(aead, data, [.. new byte[8], .. tag[8..]]);
        AssertRejected(aead, data[..^1], tag);
        AssertRejected(aead, [.. data, 0], tag);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void ARejectedPlaintextIsCleared(int width)
    {
        foreach (int length in Lengths)
        {
            using Aead aead = Sealed(width, length, out byte[] data, out byte[] tag);
            byte[] apart = Enumerable.Repeat((byte)0xEE, length).ToArray();
            tag[^1] ^= 0x80;
            Assert.False(aead.TryOpen(Nonce, data, tag, apart));
            Assert.False(aead.TryOpen(Nonce, data, tag, data));
            Assert.Equal(-1, apart.AsSpan().IndexOfAnyExcept((byte)0));
            Assert.Equal(-1, data.AsSpan().IndexOfAnyExcept((byte)0));
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void NothingAroundTheDataIsTouched(int width)
    {
        using Aead aead = AesGcmWidths.Create(width, Hex.Counting(16));
        foreach (int length in Lengths)
        {
            byte[] room = Enumerable.Repeat((byte)0x5A, length + 128).ToArray(), tag = new byte[16];
            aead.Seal(Nonce, room.AsSpan(64, length), tag);
            Assert.True(aead.TryOpen(Nonce, room.AsSpan(64, length), tag, room.AsSpan(64, length)));
            Assert.Equal(-1, room.AsSpan().IndexOfAnyExcept((byte)0x5A));
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void NothingIsAllocated(int width)
    {
        if (width == 0)
            return; // What the platform does is its own affair.
        using Aead aead = Sealed(width, 1350, out byte[] data, out byte[] tag);
        byte[] opened = new byte[1350], wrong = new byte[16];
        SealAndOpen(aead, data, tag, opened, wrong);
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int i = 0; i < 1000; i++)
                SealAndOpen(aead, data, tag, opened, wrong);
        }));
    }

    [Fact]
    public void TheWidestSupportedIsUsed()
    {
        using Aead aead = Aead.CreateAesGcm(new byte[16]);
        using Aead expected = AesGcmWidths.Create(AesGcmWidths.Supported[^1], new byte[16]);
        Assert.IsType(expected.GetType(), aead);
    }

    private static byte[] Nonce => Hex.Bytes("cafebabefacedbaddecaf888");

    private static void SealAndOpen(Aead aead, byte[] data, byte[] tag, byte[] opened, byte[] wrong)
    {
        aead.Seal(Nonce12, data, tag);
        if (!aead.TryOpen(Nonce12, data, tag, opened) || aead.TryOpen(Nonce12, data, wrong, opened))
            throw new InvalidOperationException("the tag");
    }

    private static ReadOnlySpan<byte> Nonce12 => "twelve bytes"u8;

    private static void AgreesWithThePlatform(int width, Prng random, int length)
    {
        byte[] key = new byte[random.NextUInt64() % 2 == 0 ? 16 : 32], nonce = new byte[12], clear = new byte[length];
        random.Fill(key);
        random.Fill(nonce);
        random.Fill(clear);
        byte[] expected = new byte[length], expectedTag = new byte[16], actual = [.. clear], tag = new byte[16];
        using var platform = new AesGcm(key, 16);
        platform.Encrypt(nonce, clear, expected, expectedTag);
        using Aead aead = AesGcmWidths.Create(width, key);
        aead.Seal(nonce, actual, tag);
        Assert.Equal(expected, actual);
        Assert.Equal(expectedTag, tag);
        byte[] opened = new byte[length];
        Assert.True(aead.TryOpen(nonce, actual, tag, opened));
        Assert.Equal(clear, opened);
        Assert.True(aead.TryOpen(nonce, actual, tag, actual));
        Assert.Equal(clear, actual);
    }

    private static Aead Sealed(int width, int length, out byte[] data, out byte[] tag)
    {
        data = new byte[length];
        tag = new byte[16];
        new Prng((ulong)length).Fill(data);
        Aead aead = AesGcmWidths.Create(width, Hex.Counting(32));
        aead.Seal(Nonce, data, tag);
        return aead;
    }

    private static void AssertRejected(Aead aead, byte[] data, byte[] tag) =>
        Assert.False(aead.TryOpen(Nonce, data, tag, new byte[data.Length]));

    private static void EveryFlip(byte[] bytes, Action<byte[]> check)
    {
        byte[] flipped = [.. bytes];
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            flipped[bit >> 3] ^= (byte)(1 << (bit & 7));
            check(flipped);
            flipped[bit >> 3] ^= (byte)(1 << (bit & 7));
        }
    }
}
