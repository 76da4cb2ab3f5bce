using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Primitives;

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
        byte[] data = new byte[200];
        new Prng(1).Fill(data);
        for (int length = 0; length <= data.Length; length++)
            Assert.Equal(BitByBit(data.AsSpan(0, length)), Crc32.Compute(data.AsSpan(0, length)));
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
