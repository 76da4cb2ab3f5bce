using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Sessions;

namespace Tunnel.Tests.Kcp;

public class UnknownConversationTests
{
    private static readonly KcpOptions Options = new() { Interval = 10 };

    [Fact]
    public void TheAnswerToATransmissionInFlightIsBelieved()
    {
        EngineBench bench = InFlight();
        Assert.True(bench.Feed(1010, Answer(0, 1000)));
        Assert.True(bench.Engine.PeerForgot);
    }

    [Theory]
    [InlineData(0u, 999u)]
    [InlineData(0u, 1001u)]
    [InlineData(1u, 1000u)]
    [InlineData(uint.MaxValue, 1000u)]
    public void WhoeverDoesNotEchoItIsNot(uint number, uint timestamp)
    {
        EngineBench bench = InFlight();
        Assert.False(bench.Feed(1010, Answer(number, timestamp)));
        Assert.False(bench.Engine.PeerForgot);
    }

    [Fact]
    public void AnAnswerToWhatWasAcknowledgedIsLate()
    {
        EngineBench bench = InFlight();
        bench.Ack(1010, 0, 1000, 1);
        bench.Feed(1020, Answer(0, 1000));
        Assert.False(bench.Engine.PeerForgot);
    }

    [Fact]
    public void OnlyPushIsAnsweredAndWithOneHeader()
    {
        byte[] push = new byte[KcpSegment.HeaderLength];
        new KcpSegment(7, KcpCommand.Push, 0, 9, 1000, 500, 3, 0).Write(push);
        Assert.Equal(new KcpSegment(7, KcpCommand.Unknown, 0, 0, 1000, 500, 0, 0), SessionTable<object>.AnswerUnknown(push));
        new KcpSegment(7, KcpCommand.Unknown, 0, 0, 1000, 500, 0, 0).Write(push);
        Assert.Null(SessionTable<object>.AnswerUnknown(push));
        Assert.Null(SessionTable<object>.AnswerUnknown(push.AsSpan(1)));
    }

    /// <summary>A whole window's timeouts while nothing comes back are one question, not a window sent twice.</summary>
    [Fact]
    public void SilenceIsAskedWithAFewSegments()
    {
        var bench = new EngineBench(Options with { SendWindow = 100 });
        bench.User.ToSend = 1_000_000;
        Assert.Equal(100, bench.Drain(1000).Count);
        var again = bench.AdvanceAndDrain(bench.Engine.Deadline);
        Assert.Equal([0u, 1u, 2u, 3u], again.Select(s => s.Number));
    }

    /// <summary>
    /// An answer that was only held up says nothing about the question, and so nothing about what was sent before it; the question's own does.
    /// </summary>
    [Fact]
    public void OnlyTheAnswerToTheQuestionEndsTheSilence()
    {
        var bench = new EngineBench(Options with { SendWindow = 100, Resend = 0, Pacing = false });
        bench.User.ToSend = 1_000_000;
        Assert.Equal(100, bench.Drain(1000).Count);
        long asked = bench.Engine.Deadline;
        Assert.Equal(4, bench.AdvanceAndDrain(asked).Count);
        bench.Ack(asked + 1, 50, 1000, 0);
        Assert.Empty(bench.Drain(asked + 1));
        bench.Ack(asked + 50, 1, (uint)asked, 0);
        Assert.Equal([.. Numbers(4, 49), .. Numbers(51, 99)], bench.Pushes(asked + 50));
    }

    private static IEnumerable<uint> Numbers(int first, int last) => Enumerable.Range(first, last - first + 1).Select(n => (uint)n);

    private static EngineBench InFlight()
    {
        var bench = new EngineBench(Options);
        bench.User.ToSend = 10;
        Assert.Single(bench.Drain(1000));
        return bench;
    }

    private static KcpSegment Answer(uint number, uint timestamp) =>
        new(EngineBench.Conv, KcpCommand.Unknown, 0, 0, timestamp, number, 0, 0);
}
