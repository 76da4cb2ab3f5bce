using System.Text;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Crypto;

public class WireVectorTests
{
    [Theory]
    [InlineData("aes", WireVectors.Aes256)]
    [InlineData("aes-128", WireVectors.Aes128)]
    [InlineData("aes-128-gcm", WireVectors.Gcm128)]
    [InlineData("none", WireVectors.Legacy)]
    [InlineData("null", WireVectors.Segment)]
    public void Opens(string name, string datagram)
    {
        using DatagramCipher cipher = WireVectors.Cipher(name);
        Assert.True(cipher.TryOpen(Hex.Bytes(datagram), new byte[1500], out ReadOnlySpan<byte> payload));
        Assert.Equal(WireVectors.Segment, Hex.Of(payload));
    }

    [Theory]
    [InlineData(32, WireVectors.Aes256)]
    [InlineData(16, WireVectors.Aes128)]
    public void EncryptsToTheSameBytes(int keyLength, string expected)
    {
        using var cfb = new AesCfb(WireVectors.Key.AsSpan(0, keyLength));
        byte[] datagram = Hex.Bytes(WireVectors.Legacy);
        cfb.Encrypt(datagram);
        Assert.Equal(expected, Hex.Of(datagram));
    }

    [Fact]
    public void XorTableIsTheirs()
    {
        using var xor = new XorTable(WireVectors.Key);
        Assert.Equal(WireVectors.XorTableStart, Hex.Of(xor.Table[..32]));
        Assert.Equal(1500, xor.Table.Length);
    }

    [Fact]
    public void XorCoversEveryLength()
    {
        using var xor = new XorTable(WireVectors.Key);
        for (int length = 0; length <= 1500; length++)
        {
            byte[] datagram = new byte[length];
            xor.Encrypt(datagram);
            Assert.True(datagram.AsSpan().SequenceEqual(xor.Table[..length]));
        }
    }

    [Fact]
    public void TheSegmentReadsAndWrites()
    {
        byte[] bytes = Hex.Bytes(WireVectors.Segment);
        Assert.True(KcpSegment.TryRead(bytes, out KcpSegment segment));
        Assert.Equal(new KcpSegment(0x11223344, KcpCommand.Push, 0, 128, 1000, 0, 0, 5), segment);
        Assert.Equal("hello", Encoding.ASCII.GetString(bytes.AsSpan(KcpSegment.HeaderLength)));
        byte[] written = new byte[KcpSegment.HeaderLength];
        segment.Write(written);
        Assert.Equal(bytes[..KcpSegment.HeaderLength], written);
        Assert.False(KcpSegment.TryRead(bytes.AsSpan(0, 23), out _));
    }
}
