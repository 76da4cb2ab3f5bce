using Tunnel.Protocol.Kcp;

namespace Tunnel.Tests.Kcp;

public class RetransmissionTests
{
    private const int Unlimited = 1 << 30;

    private static readonly KcpOptions Options = new() { SendWindow = 8, NoDelay = true, Interval = 10 };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void FastAfterExactlySoManyPassingAcks(int resend)
    {
        var bench = new EngineBench(Options with { Resend = resend });
        bench.User.ToSend = Unlimited;
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7], bench.Pushes(0));
        for (uint i = 1; i < resend; i++)
        {
            bench.Ack(20, i, 0, 0);
            Assert.Empty(bench.Pushes(20));
        }

        bench.Ack(20, (uint)resend, 0, 0);
        Assert.Equal([0], bench.Pushes(20));
        Assert.Equal((1, 0, 0), Retransmits(bench));
    }

    [Fact]
    public void TheSameAckTwicePassesOnce()
    {
        var bench = new EngineBench(Options with { Resend = 2 });
        bench.User.ToSend = Unlimited;
        bench.Drain(0);
        for (int i = 0; i < 5; i++)
            bench.Ack(20, 1, 0, 0);
        Assert.Empty(bench.Pushes(20));
    }

    /// <summary>The engine counts datagrams of acknowledgements, as the first KCP does, and not each acknowledgement in one.</summary>
    [Fact]
    public void ADatagramOfAcksPassesOnce()
    {
        var bench = new EngineBench(Options with { Resend = 2 });
        bench.User.ToSend = Unlimited;
        bench.Drain(0);
        var ack = new KcpSegment(EngineBench.Conv, KcpCommand.Ack, 0, 1000, 0, 1, 0, 0);
        bench.Feed(20, ack, ack with { Number = 2 }, ack with { Number = 3 });
        Assert.Empty(bench.Pushes(20));
        bench.Ack(21, 4, 0, 0);
        Assert.Equal([0], bench.Pushes(21));
    }

    [Fact]
    public void ASegmentSentAgainIsPassedAnew()
    {
        var bench = new EngineBench(Options with { Resend = 1 });
        bench.User.ToSend = Unlimited;
        bench.Drain(0);
        bench.Ack(20, 1, 0, 0);
        Assert.Equal([0], bench.Pushes(20));
        // What was sent before the second transmission says nothing about it.
        bench.Ack(21, 2, 0, 0);
        bench.Ack(22, 7, 0, 0);
        Assert.DoesNotContain(0u, bench.Pushes(22));
    }

    /// <summary>Whoever is lost a second time is what the peer's user waits for; what was lost meanwhile can wait.</summary>
    [Fact]
    public void WhatIsLostGoesAgainTheLowestNumberFirst()
    {
        var bench = new EngineBench(Options with { Resend = 1, SendWindow = 16 });
        bench.User.LargestPiece = 10;
        bench.User.ToSend = 80;
        Assert.Equal([0, 1, 2, 3, 4, 5, 6, 7], bench.Pushes(0));
        bench.Ack(20, 1, 0, 0);
        Assert.Equal([0, 0], bench.Pushes(20));
        bench.User.ToSend = 10;
        Assert.Equal([8], bench.Pushes(21));
        bench.Ack(40, 6, 0, 0);
        bench.Ack(40, 8, 21, 0);
        Assert.Equal([0, 2, 3, 4, 5, 7, 0, 2, 3, 4, 5, 7], bench.Pushes(40));
    }

    [Fact]
    public void NeverFastWithoutTheKnob()
    {
        var bench = new EngineBench(Options with { Resend = 0 });
        bench.User.ToSend = Unlimited;
        bench.Drain(0);
        for (uint i = 1; i < 8; i++)
            bench.Ack(20, i, 0, 0);
        Assert.Empty(bench.Pushes(20));
    }

    [Theory]
    [InlineData(2, true)]
    [InlineData(0, false)]
    public void EarlyAfterOnePassingAckWhenNothingNewWaits(int resend, bool expected)
    {
        var bench = new EngineBench(Options with { Resend = resend });
        bench.User.ToSend = 3 * Options.SegmentSize;
        Assert.Equal([0, 1, 2], bench.Pushes(0));
        bench.Ack(20, 1, 0, 0);
        Assert.Equal(expected ? [0u, 0u] : [], bench.Pushes(20));
        Assert.Equal((0, expected ? 1 : 0, 0), Retransmits(bench));
    }

    /// <summary>
    /// Each in a datagram of its own, with the same timestamp, so that whichever arrives tells the same; and only there where the line has room.
    /// </summary>
    [Fact]
    public void WhatIsSentAgainGoesTwiceWhileThereIsNothingNew()
    {
        var bench = new EngineBench(Options);
        bench.User.ToSend = 2 * Options.SegmentSize;
        bench.Drain(0);
        bench.Ack(20, 1, 0, 0);
        Assert.Equal([(0u, 20u), (0u, 20u)], bench.Drain(20).Select(s => (s.Number, s.Timestamp)));
        Assert.Equal((2, 1), (bench.Datagrams, bench.Engine.Counters.Copies));
        Assert.Empty(bench.Drain(20));
        bench.Ack(40, 0, 20, 2);
        Assert.Equal(0, bench.Engine.InFlight);
        Assert.Empty(bench.AdvanceAndDrain(1000));
    }

    [Fact]
    public void WhatIsSentAgainGoesOnceWhileThereIsMoreToSend()
    {
        var bench = new EngineBench(Options with { SendWindow = 8 });
        bench.User.ToSend = Unlimited;
        bench.Drain(0);
        for (uint i = 1; i < 4; i++)
            bench.Ack(20, i, 0, 0);
        Assert.Equal([0u], bench.Pushes(20));
        Assert.Equal(0, bench.Engine.Counters.Copies);
    }

    [Theory]
    [InlineData(true, new[] { 200, 300, 450, 675, 1012 })]
    [InlineData(false, new[] { 200, 400, 800, 1600, 3200 })]
    public void TimeoutsBackOff(bool noDelay, int[] gaps)
    {
        var bench = new EngineBench(Options with { NoDelay = noDelay });
        bench.User.ToSend = 1;
        Assert.Equal([0], bench.Pushes(0));
        long sent = 0;
        foreach (int gap in gaps)
        {
            Assert.Empty(bench.AdvanceAndDrain(sent + gap - 1));
            long due = bench.Engine.Deadline;
            Assert.InRange(due, sent + gap, sent + gap + 4);
            Assert.Equal(0u, Assert.Single(bench.AdvanceAndDrain(due)).Number);
            sent = due;
        }

        Assert.Equal((0, 0, gaps.Length), Retransmits(bench));
    }

    [Fact]
    public void TheTimeoutNeverExceedsAMinute()
    {
        var bench = new EngineBench(Options with { NoDelay = false });
        bench.User.ToSend = 1;
        bench.Drain(0);
        long sent = 0;
        for (int i = 0; i < 40; i++)
        {
            long due = bench.Engine.Deadline;
            while (bench.AdvanceAndDrain(due).Count == 0)
                due = bench.Engine.Deadline;
            Assert.InRange(due - sent, 200, 60_004);
            sent = due;
        }

        Assert.Equal(1, bench.Engine.Counters.DeadLinkSegments);
    }

    [Fact]
    public void OnlyTwentyTransmissionsMakeADeadLink()
    {
        var bench = new EngineBench(Options);
        bench.User.ToSend = 1;
        bench.Drain(0);
        while (bench.Engine.Counters.SegmentsSent < 20)
            bench.AdvanceAndDrain(bench.Engine.Deadline);
        Assert.Equal(0, bench.Engine.Counters.DeadLinkSegments);
        while (bench.Engine.Counters.SegmentsSent < 21)
            bench.AdvanceAndDrain(bench.Engine.Deadline);
        Assert.Equal(1, bench.Engine.Counters.DeadLinkSegments);
    }

    [Theory]
    [InlineData(true, 30)]
    [InlineData(false, 100)]
    public void TheTimeoutFollowsTheRoundTripOnceSomethingWasLost(bool noDelay, int minimum)
    {
        var bench = new EngineBench(Options with { NoDelay = noDelay });
        Assert.Equal(200, bench.Engine.RetransmissionTimeout);
        for (uint i = 0; i < 2; i++)
        {
            bench.User.ToSend = 1;
            bench.Drain(i * 300);
            uint again = (uint)bench.Engine.Deadline;
            bench.AdvanceAndDrain(again);
            // The second time it is asked first whether the peer is there.
            bench.Tell(again, 1000, i);
            bench.Drain(again);
            bench.Ack(again + 1, i, again, i + 1);
        }

        for (uint i = 2; i < 100; i++)
        {
            bench.User.ToSend = 1;
            bench.Drain(1000 + i * 50);
            bench.Ack(1000 + i * 50 + 1, i, 1000 + i * 50, i + 1);
        }

        Assert.Equal(1, bench.Engine.SmoothedRoundTrip);
        Assert.Equal(minimum, bench.Engine.RetransmissionTimeout);
    }

    /// <summary>A host that holds a process up for longer than KCP's smallest timeout has lost nothing.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WhatOnlyCameLateIsNoLoss(bool sentAgain)
    {
        var bench = new EngineBench(Options);
        for (uint i = 0; i < 20; i++)
        {
            // A millisecond is how long the path is, the rest is pauses.
            uint now = i * 1000, late = now + (i % 5 == 0 ? 1u : sentAgain && i == 12 ? 900u : 150);
            bench.User.ToSend = 1;
            bench.Drain(now);
            for (long at = bench.Engine.Deadline; at < late; at = bench.Engine.Deadline)
                bench.AdvanceAndDrain(at);
            bench.AdvanceAndDrain(late);
            // Of the first transmission, even where there was a second one.
            bench.Ack(late, i, now, i + 1);
        }

        Assert.Equal(sentAgain ? 1 : 0, bench.Engine.Counters.TimeoutRetransmits);
        Assert.InRange(bench.Engine.RetransmissionTimeout, 200, 400);
    }

    /// <summary>Where nothing is being lost, a peer that is silent for longer than a timeout was held up: it costs a question, and no data twice.</summary>
    [Fact]
    public void APeerThatWasOnlyHeldUpIsAskedAndSentNothingAgain()
    {
        EngineBench bench = Silent(out long asked);
        Assert.Equal([KcpCommand.WindowAsk], bench.AdvanceAndDrain(asked).Select(s => s.Command));
        bench.Ack(asked + 150, 100, 1000, 101);
        bench.Tell(asked + 150, 1000, 101);
        bench.AdvanceAndDrain(asked + 1000);
        Assert.Equal((0, 0), (bench.Engine.Counters.Retransmits, bench.Engine.InFlight));
    }

    /// <summary>An end does things between its own deadlines too, and its timeouts are rounded up.</summary>
    [Fact]
    public void AskingComesFirstWheneverTheEndLooks()
    {
        EngineBench bench = Silent(out long asked);
        List<KcpCommand> sent = [];
        for (long now = asked - 10; now < asked + 190; now++)
            sent.AddRange(bench.AdvanceAndDrain(now).Select(s => s.Command));
        Assert.Equal([KcpCommand.WindowAsk], sent);
    }

    /// <summary>The answer that brings no acknowledgement says that all was lost: a few segments go at once, once.</summary>
    [Fact]
    public void AnAnswerWithoutAcknowledgementsMeansLoss()
    {
        EngineBench bench = Silent(out long asked);
        bench.AdvanceAndDrain(asked);
        bench.Tell(asked + 1, 1000, 1);
        Assert.Equal([1u, 2u, 3u, 4u], bench.Pushes(asked + 1));
        bench.Tell(asked + 2, 1000, 1);
        Assert.Empty(bench.Pushes(asked + 2));
        bench.Ack(asked + 3, 1, (uint)asked + 1, 2);
        Assert.Equal(96, bench.Pushes(asked + 3).Length);
    }

    [Fact]
    public void AQuestionWithoutAnswerCostsOneTimeout()
    {
        EngineBench bench = Silent(out long asked);
        bench.AdvanceAndDrain(asked);
        long again = bench.Engine.Deadline;
        Assert.InRange(again, asked + 200, asked + 204);
        Assert.Equal([1u, 2u, 3u, 4u], bench.AdvanceAndDrain(again).Select(s => s.Number));
    }

    /// <summary>On a path with a short timeout a question is lost as easily as data was, and repeated while there is time to answer.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AQuestionIsRepeatedAsDataWouldBe(bool answered)
    {
        EngineBench bench = Silent(out long asked, roundTrip: 20, sentAt: 100_000);
        int timeout = bench.Engine.RetransmissionTimeout;
        Assert.InRange(timeout, 40, 80);
        List<long> questions = [];
        while (bench.Engine.Deadline is var at && at < asked + 190)
        {
            Assert.Equal([KcpCommand.WindowAsk], bench.AdvanceAndDrain(at).Select(s => s.Command));
            questions.Add(at - asked);
            if (answered && questions.Count == 2)
                break;
        }

        Assert.Equal(Enumerable.Range(0, questions.Count).Select(i => (long)i * timeout), questions);
        Assert.Equal(answered ? 2 : (200 + timeout - 1) / timeout, questions.Count);
        long again = answered ? asked + questions[^1] + 20 : bench.Engine.Deadline;
        if (answered)
            bench.Tell(again, 1000, 1);
        else
            Assert.InRange(again, asked + 196, asked + 204);
        Assert.Equal([1u, 2u, 3u, 4u], bench.AdvanceAndDrain(again).Where(s => s.Command == KcpCommand.Push).Select(s => s.Number));
    }

    /// <summary>What an end tells by itself, or late, is no answer.</summary>
    [Fact]
    public void AWindowToldUnaskedMeansNothing()
    {
        EngineBench bench = Silent(out long asked);
        bench.Tell(1100, 1000, 1);
        Assert.Empty(bench.Pushes(1100));
        bench.AdvanceAndDrain(asked);
        bench.Ack(asked + 1, 50, 1000, 1);
        bench.Drain(asked + 1);
        long again = bench.Engine.Counters.Retransmits;
        bench.Tell(asked + 2, 1000, 1);
        bench.Drain(asked + 2);
        Assert.Equal(again, bench.Engine.Counters.Retransmits);
    }

    [Fact]
    public void AnAckFromAPacketRebuiltFromParityIsNoSample()
    {
        var bench = new EngineBench(Options);
        bench.User.ToSend = 1;
        bench.Drain(0);
        byte[] ack = new byte[KcpSegment.HeaderLength];
        new KcpSegment(EngineBench.Conv, KcpCommand.Ack, 0, 5, 0, 0, 1, 0).Write(ack);
        int window = bench.Engine.RemoteWindow;
        Assert.True(bench.Engine.Receive(ack, 40, regular: false));
        Assert.Equal((0, window, 0), (bench.Engine.SmoothedRoundTrip, bench.Engine.RemoteWindow, bench.Engine.InFlight));
    }

    /// <summary>
    /// Once the peer answers again, what was sent into the silence must not sit out the timeout that the silence had drawn out.
    /// </summary>
    [Fact]
    public void AnAnswerEndsTheBackOff()
    {
        var bench = new EngineBench(Options with { NoDelay = false });
        bench.User.ToSend = Unlimited;
        bench.Drain(0);
        long now = 0;
        while (now < 30_000)
            bench.AdvanceAndDrain(now = bench.Engine.Deadline);
        bench.Ack(now + 300, 0, (uint)now, 1);
        long limit = now + 1000;
        var again = new HashSet<uint>(bench.Pushes(now + 300));
        while (bench.Engine.Deadline < limit)
            again.UnionWith(bench.AdvanceAndDrain(bench.Engine.Deadline).Select(s => s.Number));
        Assert.Superset(new HashSet<uint> { 1, 2, 3, 4, 5, 6, 7 }, again);
    }

    /// <summary>A queue that grows delays everything alike; as long as acknowledgements come in order, what is late is not lost.</summary>
    [Fact]
    public void WhatNoAckPassedByIsLateWhileAcksCome()
    {
        var bench = new EngineBench(Options with { SendWindow = 64 });
        bench.User.ToSend = Unlimited;
        bench.Drain(0);
        for (uint number = 0; number < 60; number++)
        {
            long now = 20 + 10 * number;
            bench.Ack(now, number, 0, number + 1);
            bench.AdvanceAndDrain(now);
        }

        Assert.Equal(0, bench.Engine.Counters.Retransmits);
    }

    /// <summary>An end that was held up past a timeout reads first what came meanwhile: here the acknowledgement that it waits for.</summary>
    [Fact]
    public void WhoWasHeldUpReadsBeforeAnythingTimesOut()
    {
        var bench = new EngineBench(Options);
        bench.User.ToSend = 10;
        Assert.Equal([0], bench.Pushes(0));
        const long late = 500;
        bench.Engine.Excuse(late);
        Assert.Empty(bench.AdvanceAndDrain(late));
        Assert.InRange(bench.Engine.Deadline, late + 1, late + 100);
        bench.Ack(late + 1, 0, 0, 1);
        Assert.Empty(bench.AdvanceAndDrain(late + 1000));
        Assert.Equal((0, 0, 0), Retransmits(bench));
    }

    /// <summary>Whose every deadline is late still sends again what nobody acknowledges, hardly later than it was due.</summary>
    [Fact]
    public void WhoIsAlwaysHeldUpStillSendsAgain()
    {
        var bench = new EngineBench(Options);
        bench.User.ToSend = 10;
        Assert.Equal([0], bench.Pushes(0));
        long now = 0;
        for (int turn = 0; turn < 100 && Retransmits(bench) == (0, 0, 0); turn++)
        {
            now = bench.Engine.Deadline + 20;
            bench.Engine.Excuse(now);
            bench.AdvanceAndDrain(now);
        }

        Assert.Equal((0, 0, 1), Retransmits(bench));
        Assert.InRange(now, 200, 350);
    }

    private static (long Fast, long Early, long Timeout) Retransmits(EngineBench bench)
    {
        KcpCounters counters = bench.Engine.Counters;
        return (counters.FastRetransmits, counters.EarlyRetransmits, counters.TimeoutRetransmits);
    }

    /// <summary>A path that has lost nothing, and a hundred segments, 1 to 100, that nobody answers until the timeout.</summary>
    private static EngineBench Silent(out long timeout, int roundTrip = 1, long sentAt = 1000)
    {
        var bench = new EngineBench(Options with { SendWindow = 100, Resend = 0, Pacing = false });
        bench.User.ToSend = 1;
        bench.Drain(0);
        bench.Ack(roundTrip, 0, 0, 1);
        bench.User.ToSend = 100 * Options.SegmentSize;
        Assert.Equal(100, bench.Drain(sentAt).Count);
        timeout = bench.Engine.Deadline;
        return bench;
    }
}
