using Tunnel.Protocol.Sessions;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Sessions;

/// <summary>What only gob has: numbered types, definitions, messages.</summary>
public class GobHeaderTests
{
    /// <summary>Go numbered a program's types from 65 once; the first definition is a byte longer then.</summary>
    [Fact]
    public void EarlierTypeNumbers()
    {
        const string First = "30ff810301010550726f746f01ff8200010301045479706501060001044164647201ff840001045443504601ff88000000";
        byte[] bytes = Hex.Bytes(First + HeaderVectors.GobDefinitions[(2 * 48)..] + "05ff82010100");
        Assert.Equal(HeaderStatus.Complete, StreamHeaderReader.TryRead(bytes, out StreamHeader? header, out HeaderFormat format, out int length));
        Assert.Equal((StreamRequest.Ping, HeaderFormat.Gob, bytes.Length), (header!.Request, format, length));
    }

    [Fact]
    public void EachMessageIsAPart()
    {
        byte[] buffer = new byte[StreamHeader.MaximumLength];
        Memory<byte> rest = buffer.AsMemory(0, new StreamHeader(StreamRequest.Ping).Write(HeaderFormat.Gob, buffer));
        var parts = new List<int>();
        while (!rest.IsEmpty)
        {
            parts.Add(StreamHeaderReader.FirstPart(HeaderFormat.Gob, rest.Span));
            rest = rest[parts[^1]..];
        }

        Assert.Equal([48, 37, 27, 90, 6], parts);
        Assert.Equal(5, StreamHeaderReader.FirstPart(HeaderFormat.V1, buffer.AsSpan(0, 5)));
    }

    [Theory]
    [InlineData("05ff80010300", StreamRequest.Flags)]
    [InlineData("04ff800000", null)]
    [InlineData("05ff80010400", null)]
    [InlineData("05ff80010600", null)]
    [InlineData("06ff8001010000", null)]
    [InlineData("07ff800101030100", null)]
    [InlineData("0bff80010401020035000000", null)]
    [InlineData("0fff8001040101016101fd0200000000", null)]
    [InlineData("0cff80010401010161016b0000", null)]
    [InlineData("07ff8001030241000000", null)]
    [InlineData("0aff80010302010102000000", null)]
    [InlineData("0aff80010302010a010000", null)]
    [InlineData("00", null)]
    [InlineData("f8ffffffffffffffff", null)]
    [InlineData("fe7fff", null)]
    public void Values(string hex, StreamRequest? expected)
    {
        HeaderStatus status = StreamHeaderReader.TryRead(Hex.Bytes(HeaderVectors.GobDefinitions + hex), out StreamHeader? header, out _, out _);
        Assert.Equal(expected is null ? HeaderStatus.Invalid : HeaderStatus.Complete, status);
        Assert.Equal(expected, header?.Request);
    }

    [Fact]
    public void DefinitionsWithoutAnEnd()
    {
        byte[] bytes = Hex.Bytes(string.Concat(Enumerable.Repeat(HeaderVectors.GobDefinitions, 30)));
        Assert.Equal(HeaderStatus.Invalid, StreamHeaderReader.TryRead(bytes, out _, out _, out _));
    }
}
