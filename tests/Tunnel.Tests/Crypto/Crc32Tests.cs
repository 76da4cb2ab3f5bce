using System.Runtime.Intrinsics;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Crypto;

public class Crc32Tests
{
    [Fact]
    public void CheckValue() => Assert.Equal(0xCBF43926u, Crc32.Compute("123456789"u8));

    [Fact]
    public void OfNothingIsZero() => Assert.Equal(0u, Crc32.Compute([]));

    [Fact]
    public void AgreesWithBitByBit()
    {
        byte[] data = new byte[600];
        new Prng(1).Fill(data);
        for (int length = 0; length <= data.Length; length++)
            Assert.Equal(BitByBit(data.AsSpan(0, length)), Crc32.Compute(data.AsSpan(0, length)));
    }

    [Fact]
    public void FoldingAgreesWithTheTables() => TestSeed.Run(1000, seed =>
    {
        var random = new Prng(seed);
        byte[] room = new byte[2000 + 64];
        random.Fill(room);
        ReadOnlySpan<byte> data = room.AsSpan(random.Next(64), random.Next(2000));
        Assert.Equal(~Crc32.Update(uint.MaxValue, data), Crc32.Compute(data));
    });

    /// <summary>Both widths of the folding, whichever this processor would choose.</summary>
    [Fact]
    public void EveryFoldingAgreesWithTheTables()
    {
        byte[] data = new byte[600];
        new Prng(2).Fill(data);
        for (int length = 64; length <= data.Length && Crc32Folding.IsSupported; length++)
        {
            uint expected = Crc32.Update(uint.MaxValue, data.AsSpan(0, length));
            foreach (bool wide in new[] { false, Crc32Folding.IsWide })
            {
                ReadOnlySpan<byte> rest = data.AsSpan(0, length);
                byte[] folded = new byte[16];
                Vector128<byte> sum = Crc32Folding.Fold(uint.MaxValue, ref rest, wide);
                sum.CopyTo(folded);
                Assert.InRange(rest.Length, 0, 15);
                Assert.Equal(expected, Crc32.Update(Crc32.Update(0, folded), rest));
            }
        }
    }

    private static uint BitByBit(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in data)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
        }

        return ~crc;
    }
}
