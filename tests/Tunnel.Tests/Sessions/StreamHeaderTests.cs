using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Sessions;

public class StreamHeaderTests
{
    public static TheoryData<HeaderFormat, string, StreamRequest, string> Vectors => HeaderVectors.All;

    private static readonly HeaderFormat[] Formats = [HeaderFormat.V1, HeaderFormat.V3, HeaderFormat.Gob];

    [Theory]
    [MemberData(nameof(Vectors))]
    public void ReadAndWrittenBack(HeaderFormat format, string hex, StreamRequest request, string meaning)
    {
        StreamHeader header = Read(hex, format);
        Assert.Equal(request, header.Request);
        Assert.Equal(meaning, HeaderVectors.Meaning(header));
        Assert.Equal(hex, Written(header, format));
    }

    /// <summary>Whoever reads what is asked for, and no more, reads the header and not a byte of what follows.</summary>
    [Theory]
    [MemberData(nameof(Vectors))]
    public void TruncatedAtEachLength(HeaderFormat format, string hex, StreamRequest request, string meaning)
    {
        byte[] bytes = Hex.Bytes(hex);
        for (int length = 0; length < bytes.Length; length++)
        {
            HeaderStatus status = StreamHeaderReader.TryRead(bytes.AsSpan(0, length), out StreamHeader? none, out _, out int wanted);
            Assert.Equal((HeaderStatus.Incomplete, null), (status, none));
            Assert.InRange(wanted, length + 1, bytes.Length);
        }

        byte[] more = [.. bytes, 0x2F, 0x7F, 3];
        Assert.Equal(HeaderStatus.Complete, StreamHeaderReader.TryRead(more, out StreamHeader? header, out HeaderFormat told, out int taken));
        Assert.Equal((format, bytes.Length, request, meaning), (told, taken, header!.Request, HeaderVectors.Meaning(header)));
    }

    [Theory]
    [InlineData("51")]
    [InlineData("00")]
    [InlineData("0604")]
    [InlineData("5002")]
    [InlineData("5001011001")]
    [InlineData("500100000000")]
    [InlineData("5001060000")]
    [InlineData("500101000100")]
    [InlineData("5001040000")]
    [InlineData("500104000300 0050")]
    [InlineData("5001040005016101bb00")]
    [InlineData("50010400040020 01bb")]
    [InlineData("500104000401 20 01bb")]
    [InlineData("500104000401 0a 01bb")]
    [InlineData("500104000401 80 01bb")]
    [InlineData("5001030000")]
    [InlineData("500103000241 00")]
    [InlineData("50010300020100")]
    [InlineData("5001180000")]
    [InlineData("5001180017" + "0000000000000000000000000000000000000001" + "000000")]
    [InlineData("500118001b" + "0000000000000000000000000000000000000001" + "000002" + "01610001")]
    [InlineData("500119001a" + "0000000000000000000000000000000000000001" + "000000" + "000001")]
    [InlineData("500119001c" + "0000000000000000000000000000000000000001" + "000000" + "0161000100")]
    [InlineData("0104")]
    [InlineData("0400")]
    [InlineData("0300")]
    [InlineData("0401 0000 01bb")]
    [InlineData("0401 00fe")]
    [InlineData("0401 0001 20 01bb")]
    [InlineData("0302 41")]
    [InlineData("2f80")]
    [InlineData("3080")]
    public void NotAHeader(string hex) =>
        Assert.Equal(HeaderStatus.Invalid, StreamHeaderReader.TryRead(Hex.Bytes(hex), out _, out _, out _));

    [Theory]
    [InlineData(1)]
    [InlineData(253)]
    public void HostLengths(int length)
    {
        var header = new StreamHeader(StreamRequest.Udp, new Target(new string('h', length), 65_535));
        foreach (HeaderFormat format in Formats)
            Assert.Equal(header, Read(Written(header, format), format));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(254)]
    public void ImpossibleHosts(int length)
    {
        var header = new StreamHeader(StreamRequest.Udp, new Target(new string('h', length), 1));
        Assert.All(Formats, format => Assert.Throws<ArgumentException>(() => Written(header, format)));
    }

    [Fact]
    public void EveryFlagAndEveryPort()
    {
        ushort[] flags = [.. Enumerable.Range(0, 9).Select(bit => (ushort)(1 << bit)), 0, 0x1FF];
        foreach (HeaderFormat format in Formats)
        {
            Assert.Equal(flags, Read(Written(new StreamHeader(StreamRequest.Flags, default, flags), format), format).Flags);
            foreach (ushort port in (ushort[])[0, 1, 63, 64, 127, 128, 255, 256, 32_768, 65_535])
                Assert.Equal(port, Read(Written(new StreamHeader(StreamRequest.Tcp, new Target("h", port)), format), format).Target.Port);
        }
    }

    [Fact]
    public void AListIsCutAtSixtyFour()
    {
        var header = new StreamHeader(StreamRequest.Flags, default, [.. Enumerable.Repeat((ushort)0x1FF, 100)]);
        foreach (HeaderFormat format in Formats)
            Assert.Equal(64, Read(Written(header, format), format).Flags!.Count);
    }

    [Fact]
    public void MutationsNeverThrow()
    {
        byte[][] valid = [.. Vectors.Select(row => Hex.Bytes(row.Data.Item2))];
        TestSeed.Run(5000, seed =>
        {
            var random = new Prng(seed);
            byte[] bytes = [.. valid[random.Next(valid.Length)]];
            for (int i = random.Next(4); i >= 0; i--)
                bytes[random.Next(bytes.Length)] = (byte)random.NextUInt32();
            HeaderStatus status = StreamHeaderReader.TryRead(bytes, out StreamHeader? header, out _, out int length);
            Assert.Equal(status == HeaderStatus.Complete, header is not null);
            if (status == HeaderStatus.Incomplete)
                Assert.InRange(length, bytes.Length + 1, StreamHeader.MaximumLength);
            if (header is not null)
                Assert.All(Formats, format => Assert.NotEmpty(Written(header, format)));
        });
    }

    private static string Written(StreamHeader header, HeaderFormat format)
    {
        byte[] buffer = new byte[StreamHeader.MaximumLength];
        return Hex.Of(buffer.AsSpan(0, header.Write(format, buffer)));
    }

    private static StreamHeader Read(string hex, HeaderFormat expected)
    {
        byte[] bytes = Hex.Bytes(hex);
        Assert.Equal(HeaderStatus.Complete, StreamHeaderReader.TryRead(bytes, out StreamHeader? header, out HeaderFormat format, out int length));
        Assert.Equal((expected, bytes.Length), (format, length));
        return header!;
    }
}
