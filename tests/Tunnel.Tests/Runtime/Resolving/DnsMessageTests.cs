using Tunnel.App.Runtime.Resolving;
using Tunnel.Tests.Support;
using static Tunnel.Tests.Runtime.Resolving.FakeNameServer;

namespace Tunnel.Tests.Runtime.Resolving;

/// <summary>The messages of the DNS: those that a server sends, and those that somebody else does.</summary>
public class DnsMessageTests
{
    private const string Asked = "_tunnel._udp.example.net";

    private static readonly byte[] Query = MakeQuery(Asked);

    [Fact]
    public void AQueryOnTheWire() => Assert.Equal(
        "1234 0100 0001 0000 0000 0000 07 5f74756e6e656c 04 5f756470 07 6578616d706c65 03 6e6574 00 0021 0001".Replace(" ", ""),
        Hex.Of(Query));

    [Theory]
    [InlineData("")]
    [InlineData("a..b")]
    [InlineData("é.example")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123.net")]
    public void NamesThatCannotBeAskedFor(string name) =>
        Assert.Equal(0, DnsMessage.WriteQuery(new byte[DnsMessage.MaximumQuery], 1, name));

    [Fact]
    public void TheLongestNameFits()
    {
        string name = string.Join('.', Enumerable.Repeat(new string('a', 49), 5));
        Assert.Equal(253 - 4 + 2 + 12 + 4, DnsMessage.WriteQuery(new byte[DnsMessage.MaximumQuery], 1, name));
        Assert.Equal(0, DnsMessage.WriteQuery(new byte[DnsMessage.MaximumQuery], 1, $"{name}.{new string('b', 49)}"));
    }

    [Fact]
    public void RecordsByPriority()
    {
        SrvAnswer answer = Good(Answer(Query, Srv("b.example.net", 9998, 20, 5, 300), Srv("a.example.net.", 9999, 10, 60, 120)));
        Assert.Equal([new SrvRecord("a.example.net", 9999, 10, 60), new SrvRecord("b.example.net", 9998, 20, 5)], answer.Records);
        Assert.Equal(TimeSpan.FromSeconds(120), answer.TimeToLive);
    }

    [Fact]
    public void AnAliasIsFollowed()
    {
        byte[] real = Name("real.example.org");
        byte[] record = Record(real, 33, 60, [.. Number(0), .. Number(0), .. Number(7), .. Name("x")]);
        Assert.Equal(7, Assert.Single(Good(Answer(Query, Alias("real.example.org"), record)).Records).Port);
        // Of a name that nobody asked for.
        Assert.Empty(Good(Answer(Query, record)).Records);
    }

    [Fact]
    public void TargetsMayBeCompressed()
    {
        byte[] record = Record([0xC0, 12], 33, 60, [.. Number(1), .. Number(2), .. Number(3), 2, (byte)'n', (byte)'1', 0xC0, 25]);
        Assert.Equal("n1.example.net", Assert.Single(Good(Answer(Query, record)).Records).Target);
    }

    [Fact]
    public void NothingIsOfferedThere()
    {
        Assert.Empty(Good(Answer(Query, Srv(".", 0))).Records);
        Assert.Empty(Good(Failed(Query, 3)).Records);
        Assert.Empty(Good(Answer(Query)).Records);
    }

    [Fact]
    public void ManyRecordsAreCut() => Assert.Equal(
        DnsMessage.MaximumRecords,
        Good(Answer(Query, [.. Enumerable.Range(1, 200).Select(i => Srv("a", i))])).Records.Count);

    [Fact]
    public void WhatIsNotTheAnswerIsAStranger()
    {
        byte[] good = Answer(Query, Srv("a", 1));
        Assert.Equal(DnsVerdict.Stranger, Read(Query));
        Assert.Equal(DnsVerdict.Stranger, Read([]));
        Assert.Equal(DnsVerdict.Stranger, Read(good[..11]));
        Assert.Equal(DnsVerdict.Stranger, Read([(byte)~good[0], .. good[1..]]));
        Assert.Equal(DnsVerdict.Stranger, Read(Answer(MakeQuery("_tunnel._udp.example.org"), Srv("a", 1))));
        Assert.Equal(DnsVerdict.Stranger, Read([.. good[..5], 2, .. good[6..]]));
    }

    [Fact]
    public void CaseDoesNotMatter() =>
        Assert.Single(Good(Answer(MakeQuery(Asked.ToUpperInvariant()), Srv("a", 1))).Records);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void ServersThatWillNotSay(int code) => Assert.Equal(DnsVerdict.Refused, Read(Failed(Query, code)));

    [Fact]
    public void ALongAnswerIsToBeHadElsewhere() => Assert.Equal(DnsVerdict.Truncated, Read(Truncated(Query)));

    private static readonly byte[][] Malformed =
    [
        [0xC0, 12, 0, 33, 0, 1, 0, 0, 0, 60, 0, 200],
        Record([0xC0, 12], 33, 60, [0, 0, 0, 0, 0, 1]),
        Record([0xC0, 12], 33, 60, [0, 0, 0, 0, 0, 1, 0, 0]),
        Record([0xC0, 12], 33, 60, [0, 0, 0, 0, 0, 1, 0xC0, 0xFF]),
        Record([0xC0, 12], 33, 60, [0, 0, 0, 0, 0, 1, 3, (byte)'a', (byte)'.', (byte)'b', 0]),
        Record([0xC0, 12], 33, 60, [0, 0, 0, 0, 0, 1, 1, 7, 0]),
        Record([0xC0, 12], 33, 60, [0, 0, 0, 0, 0, 1, 0x41, 0]),
        [0xC0],
    ];

    [Fact]
    public void MalformedAnswers() => Assert.All(Malformed, record => Assert.Equal(DnsVerdict.Malformed, Read(Answer(Query, record))));

    [Fact]
    public void PointersThatLeadInCirclesEnd()
    {
        int at = Query.Length;
        Assert.Equal(DnsVerdict.Malformed, Read(Answer(Query, Record([0xC0, (byte)at], 33, 60, []))));
        // The second points back at the first, which points at the second.
        byte[] first = Record([0xC0, 12], 99, 60, [0xC0, (byte)(at + 14)]);
        Assert.Equal(DnsVerdict.Malformed, Read(Answer(Query, first, Record([0xC0, (byte)(at + 12)], 33, 60, []))));
    }

    [Fact]
    public void AliasesInCirclesEnd()
    {
        byte[][] circle = [.. Enumerable.Range(0, 100).Select(_ => Alias(Asked))];
        Assert.Equal(DnsVerdict.Malformed, Read(Answer(Query, circle)));
    }

    /// <summary>Nothing that comes makes it throw or hang, and what it gives keeps to the bounds.</summary>
    [Fact]
    public void AnythingMayCome() => TestSeed.Run(20, seed =>
    {
        var random = new Random((int)seed);
        byte[] good = Answer(
            Query, Alias("real.example.org"), Srv("a.example.net", 1), Record(Name("real.example.org"), 33, 60, [0, 0, 0, 0, 0, 1, 0xC0, 12]));
        for (int i = 0; i < 5000; i++)
        {
            byte[] message = [.. good];
            for (int change = random.Next(1, 6); change > 0; change--)
                message[random.Next(random.Next(4) == 0 ? 0 : Query.Length, message.Length)] = (byte)random.Next(256);
            message = message[..random.Next(message.Length + 1)];
            if (DnsMessage.Read(message, Query, out SrvAnswer? answer) != DnsVerdict.Answer)
                Assert.Null(answer);
            else
                Assert.All(answer!.Records, r => Assert.True(r is { Target.Length: > 0 and < 255, Port: > 0 and < 65536 }));
        }
    });

    private static byte[] MakeQuery(string name)
    {
        byte[] query = new byte[DnsMessage.MaximumQuery];
        return query[..DnsMessage.WriteQuery(query, 0x1234, name)];
    }

    private static DnsVerdict Read(byte[] message) => DnsMessage.Read(message, Query, out _);

    private static SrvAnswer Good(byte[] message)
    {
        Assert.Equal(DnsVerdict.Answer, DnsMessage.Read(message, Query, out SrvAnswer? answer));
        return answer!;
    }
}
