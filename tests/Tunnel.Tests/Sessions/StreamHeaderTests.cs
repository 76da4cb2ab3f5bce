using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Sessions;

public class StreamHeaderTests
{
    private const string TcpExample = "500104000e0b6578616d706c652e636f6d01bb";

    public static TheoryData<string> Valid =>
        [TcpExample, "5001010000", "5001020000", "500103000301 0018", "5001050007043a3a3a310035", "50010300050200180010"];

    [Fact]
    public void TcpTarget()
    {
        var header = new StreamHeader(StreamRequest.Tcp, new Target("example.com", 443));
        Assert.Equal(TcpExample, Written(header));
        Assert.Equal(header, Read(TcpExample));
        Assert.Equal("example.com:443", header.Target.ToString());
        Assert.Equal("[::1]:53", new Target("::1", 53).ToString());
    }

    [Theory]
    [InlineData(StreamRequest.Ping, "5001010000")]
    [InlineData(StreamRequest.Pong, "5001020000")]
    [InlineData(StreamRequest.Goodbye, "5001120000")]
    public void WithoutBody(StreamRequest request, string bytes)
    {
        Assert.Equal(bytes, Written(new StreamHeader(request)));
        Assert.Equal(request, Read(bytes)!.Request);
    }

    [Fact]
    public void Flags()
    {
        Assert.Equal("50010300050200180010", Written(new StreamHeader(StreamRequest.Flags, default, [0x18, 0x10])));
        Assert.Equal([0x18, 0x10], Read("50010300050200180010")!.Flags!.Select(f => (int)f));
        Assert.Equal(64, Read("5001030081" + "40" + string.Concat(Enumerable.Repeat("0018", 64)))!.Flags!.Count);
    }

    [Theory]
    [MemberData(nameof(Valid))]
    public void TruncatedIsIncomplete(string hex)
    {
        byte[] bytes = Hex.Bytes(hex);
        for (int length = 0; length < bytes.Length; length++)
            Assert.Equal(HeaderStatus.Incomplete, StreamHeader.TryRead(bytes.AsSpan(0, length), out _, out _));
        Assert.Equal(HeaderStatus.Complete, StreamHeader.TryRead(bytes, out _, out int taken));
        Assert.Equal(bytes.Length, taken);
        Assert.Equal(HeaderStatus.Complete, StreamHeader.TryRead([.. bytes, 1, 2, 3], out _, out taken));
        Assert.Equal(bytes.Length, taken);
    }

    [Theory]
    [InlineData("51")]
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
    public void NotAHeader(string hex) =>
        Assert.Equal(HeaderStatus.Invalid, StreamHeader.TryRead(Hex.Bytes(hex), out _, out _));

    [Theory]
    [InlineData(1)]
    [InlineData(253)]
    public void HostLengths(int length)
    {
        var header = new StreamHeader(StreamRequest.Udp, new Target(new string('h', length), 65_535));
        Assert.Equal(header, Read(Written(header)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(254)]
    public void ImpossibleHosts(int length) =>
        Assert.Throws<ArgumentException>(() => Written(new StreamHeader(StreamRequest.Udp, new Target(new string('h', length), 1))));

    [Fact]
    public void MutationsNeverThrow() => TestSeed.Run(2000, seed =>
    {
        var random = new Prng(seed);
        byte[] bytes = Hex.Bytes(Valid.ElementAt(random.Next(Valid.Count)).Data);
        for (int i = random.Next(4); i >= 0; i--)
            bytes[random.Next(bytes.Length)] = (byte)random.NextUInt32();
        HeaderStatus status = StreamHeader.TryRead(bytes, out StreamHeader? header, out int taken);
        Assert.Equal(status == HeaderStatus.Complete, header is not null);
        if (header is not null)
            Assert.InRange(header.Write(new byte[StreamHeader.MaximumLength]), 5, taken);
    });

    private static string Written(StreamHeader header)
    {
        byte[] buffer = new byte[StreamHeader.MaximumLength];
        return Hex.Of(buffer.AsSpan(0, header.Write(buffer)));
    }

    private static StreamHeader? Read(string hex)
    {
        Assert.Equal(HeaderStatus.Complete, StreamHeader.TryRead(Hex.Bytes(hex), out StreamHeader? header, out _));
        return header;
    }
}
