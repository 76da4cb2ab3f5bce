using FsCheck;
using FsCheck.Fluent;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Wire;

public class InternetChecksumTests
{
    [Fact]
    public void TheExampleOfRfc1071()
    {
        uint sum = InternetChecksum.Sum([0x00, 0x01, 0xF2, 0x03, 0xF4, 0xF5, 0xF6, 0xF7]);

        Assert.Equal(0xDDF2u, sum);
        Assert.Equal(0x220D, InternetChecksum.Fold(sum));
    }

    [Fact]
    public void EveryLengthAndAlignmentAgreesWithTheNaiveSum()
    {
        Prng prng = new(1);
        byte[] buffer = prng.NextBytes(400);
        for (int start = 0; start < 33; start++)
        {
            for (int length = 0; start + length <= buffer.Length; length++)
            {
                ReadOnlySpan<byte> data = buffer.AsSpan(start, length);
                Assert.Equal(Naive(data, 0), InternetChecksum.Fold(InternetChecksum.Sum(data)));
            }
        }
    }

    [Fact]
    public void LargeBuffersAgreeWithTheNaiveSum() => Seeded.Repeat(300, static (ref Prng prng) =>
    {
        byte[] buffer = prng.NextBytes(prng.Next(70_000) + 64);
        Span<byte> data = buffer.AsSpan(prng.Next(64));
        uint initial = prng.NextUInt32();
        Assert.Equal(Naive(data, initial), InternetChecksum.Fold(InternetChecksum.Sum(data, initial)));
    });

    [Fact]
    public void NoCarryIsLostInTheWorstCase()
    {
        byte[] ones = [.. Enumerable.Repeat((byte)0xFF, 1 << 20)];

        Assert.Equal(0xFFFFu, InternetChecksum.Sum(ones, uint.MaxValue));
        Assert.Equal(0, InternetChecksum.Fold(uint.MaxValue));
        Assert.Equal(0xFFFF, InternetChecksum.Fold(InternetChecksum.Sum(new byte[100])));
    }

    [Fact]
    public void PiecesSumToTheWhole() => Prop.ForAll<byte[], byte[]>(static (first, second) =>
    {
        byte[] even = [.. first, .. new byte[first.Length & 1]];
        byte[] whole = [.. even, .. second];
        return InternetChecksum.Sum(second, InternetChecksum.Sum(even)) == InternetChecksum.Sum(whole);
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(4)]
    [InlineData(16)]
    public void ThePseudoHeaderIsTheSumOfItsBytes(int addressLength) => Seeded.Repeat(100, (ref Prng prng) =>
    {
        byte[] source = prng.NextBytes(addressLength);
        byte[] destination = prng.NextBytes(addressLength);
        int length = prng.Next(70_000);
        byte[] lengthBytes = [(byte)(length >> 24), (byte)(length >> 16), (byte)(length >> 8), (byte)length];
        byte[] header = [.. source, .. destination, .. lengthBytes, 0, 0, 0, IPProtocols.Tcp];

        uint sum = InternetChecksum.PseudoHeader(source, destination, IPProtocols.Tcp, length);

        Assert.Equal(Naive(header, 0), InternetChecksum.Fold(sum));
    });

    private static ushort Naive(ReadOnlySpan<byte> data, uint initial)
    {
        ulong sum = initial;
        for (int i = 0; i < data.Length; i++)
            sum += (i & 1) == 0 ? (uint)data[i] << 8 : data[i];
        while (sum > 0xFFFF)
            sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }
}
