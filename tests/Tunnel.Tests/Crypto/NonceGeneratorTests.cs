using System.Runtime.InteropServices;
using Tunnel.Protocol.Crypto;

namespace Tunnel.Tests.Crypto;

public class NonceGeneratorTests
{
    private const int Count = 1_000_000;

    [Fact]
    public void SixteenBytesNeverRepeat()
    {
        NonceGenerator nonces = WireVectors.Nonces();
        var seen = new HashSet<UInt128>(Count);
        UInt128 nonce = default;
        for (int i = 0; i < Count; i++)
        {
            nonces.Fill16(MemoryMarshal.AsBytes(new Span<UInt128>(ref nonce)));
            Assert.True(seen.Add(nonce));
        }
    }

    [Fact]
    public void TwelveBytesNeverRepeat()
    {
        NonceGenerator nonces = WireVectors.Nonces();
        var seen = new HashSet<UInt128>(Count);
        UInt128 nonce = default;
        for (int i = 0; i < Count; i++)
        {
            nonces.Fill12(MemoryMarshal.AsBytes(new Span<UInt128>(ref nonce))[..12]);
            Assert.True(seen.Add(nonce));
        }
    }

    [Fact]
    public void AnotherSeedIsAnotherSequence()
    {
        byte[] a = new byte[28], b = new byte[28];
        Draw(WireVectors.Nonces(1), a);
        Draw(WireVectors.Nonces(2), b);
        Assert.NotEqual(a[..16], b[..16]);
        Assert.NotEqual(a[16..], b[16..]);
        Draw(WireVectors.Nonces(1), b);
        Assert.Equal(a, b);
    }

    [Fact]
    public void TheSeedIs32Bytes() => Assert.Throws<ArgumentException>(() => new NonceGenerator(new byte[31]));

    private static void Draw(NonceGenerator nonces, Span<byte> destination)
    {
        nonces.Fill16(destination);
        nonces.Fill12(destination[16..]);
    }
}
