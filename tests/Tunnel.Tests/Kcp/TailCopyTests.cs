using Tunnel.Protocol.Kcp;

namespace Tunnel.Tests.Kcp;

/// <summary>The end of what was sent, once more, where something was lost lately.</summary>
public class TailCopyTests
{
    private const int RoundTrip = 60;

    /// <summary>A quarter of the round trip.</summary>
    private const int Patience = 15;

    /// <summary>When <see cref="Lossy"/> leaves off.</summary>
    private const long Start = 1000;

    private static readonly KcpOptions Options = new() { SendWindow = 8, NoDelay = true, Interval = 10 };

    [Fact]
    public void OnAPathThatLosesWhatNothingFollowsGoesTwice()
    {
        EngineBench bench = Lossy(out uint next);
        long before = bench.Engine.Counters.Copies;
        Send(bench, Start);
        Assert.Equal(Start + Patience, bench.Engine.Deadline);
        Assert.Empty(Copies(bench, Start + Patience - 1));
        Assert.Equal([(next, (uint)(Start + Patience))], Copies(bench, Start + Patience));
        Assert.Equal(before + 1, bench.Engine.Counters.Copies);
        Assert.Equal(0, bench.Engine.Counters.EarlyRetransmits);
        Assert.Empty(Copies(bench, Start + RoundTrip));
    }

    /// <summary>What a path loses shows within the first minute.</summary>
    [Theory]
    [InlineData(59_000, true)]
    [InlineData(61_000, false)]
    public void OnANewOneItGoesTwice(long now, bool twice)
    {
        EngineBench bench = Quiet(RoundTrip);
        Send(bench, now);
        Assert.Equal(twice ? [(1u, (uint)now + Patience)] : [], Copies(bench, now + Patience));
    }

    /// <summary>There a pause of either end is longer than the path, and once may have been one.</summary>
    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void OnAShortOneItGoesTwiceWhereTwoWereLost(int losses, bool twice)
    {
        EngineBench bench = Quiet(5);
        for (uint i = 1; i <= losses; i++)
            Lose(bench, i, i * 400, 5);
        Send(bench, Start);
        Assert.Equal(twice ? [((uint)losses + 1, (uint)Start + 5)] : [], Copies(bench, Start + 5));
    }

    /// <summary>Every loss is taken for want of room.</summary>
    [Fact]
    public void WithACongestionWindowItGoesOnce()
    {
        EngineBench bench = Lossy(out _, Options with { NoCongestion = false });
        Send(bench, Start);
        Assert.Empty(Copies(bench, Start + RoundTrip));
    }

    [Fact]
    public void AMinuteAfterTheLossItGoesOnce()
    {
        EngineBench bench = Lossy(out uint next);
        Send(bench, 61_000);
        Assert.Empty(Copies(bench, 61_000 + Patience));
        bench.Ack(61_000 + RoundTrip, next, 61_000, next + 1);
        Assert.Equal(long.MaxValue, bench.Engine.Deadline);
    }

    /// <summary>Nothing is left to wake up for.</summary>
    [Fact]
    public void WhatWasAcknowledgedBeforeIsNotSentOnceMore()
    {
        EngineBench bench = Lossy(out uint next);
        Send(bench, Start);
        bench.Ack(Start + Patience - 1, next, (uint)Start, next + 1);
        Assert.Empty(bench.Drain(Start + Patience - 1));
        Assert.Equal(long.MaxValue, bench.Engine.Deadline);
        Assert.Empty(Copies(bench, Start + Patience));
    }

    /// <summary>What follows would tell of its loss.</summary>
    [Fact]
    public void WhatIsFollowedIsNoEnd()
    {
        EngineBench bench = Lossy(out uint next);
        Send(bench, Start);
        Send(bench, Start + Patience - 1);
        Assert.Empty(Copies(bench, Start + Patience));
        Assert.Equal([next, next + 1], Copies(bench, Start + (2 * Patience) - 1).Select(c => c.Number));
    }

    /// <summary>Its acknowledgement tells what became of those before it.</summary>
    [Fact]
    public void OfALongEndTheLastIsEnough()
    {
        EngineBench bench = Lossy(out uint next);
        bench.User.ToSend = 6 * Options.SegmentSize;
        Assert.Equal(6, bench.Pushes(Start).Length);
        long at = Start + Patience;
        Assert.Equal([(next + 5, (uint)at)], Copies(bench, at));
        bench.Ack(at + RoundTrip, next + 5, (uint)at, next);
        Assert.Equal([next, next + 1, next + 2, next + 3, next + 4], bench.Pushes(at + RoundTrip).Distinct());
        Assert.Equal(5, bench.Engine.Counters.EarlyRetransmits);
    }

    /// <summary>More waits for room: the window's end is not the end.</summary>
    [Fact]
    public void WhatMoreWaitsBehindIsNoEnd()
    {
        EngineBench bench = Lossy(out _);
        bench.User.ToSend = 100 * Options.SegmentSize;
        Assert.Equal(Options.SendWindow, bench.Pushes(Start).Length);
        Assert.Empty(Copies(bench, Start + Patience));
    }

    [Fact]
    public void TheTimeoutCountsFromTheCopy()
    {
        EngineBench bench = Lossy(out uint next);
        Send(bench, Start);
        long at = Start + Patience, timeout = bench.Engine.RetransmissionTimeout;
        _ = Copies(bench, at);
        Assert.Empty(Copies(bench, at + timeout - 1));
        long lost = bench.Engine.Deadline;
        Assert.InRange(lost, at + timeout, at + timeout + 4);
        Assert.Empty(Copies(bench, lost));
        bench.Tell(lost, 1000, next);
        Assert.Equal([next], bench.Pushes(lost));
        // What was sent again is an end, too.
        Assert.Equal([(next, (uint)(lost + Patience))], Copies(bench, lost + Patience));
    }

    /// <summary>The echo says which of the two arrived: a path that loses only what has a copy still loses.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ACopyThatArrivedAloneIsALoss(bool isCopy)
    {
        EngineBench bench = Lossy(out uint next);
        long first = Start + 50_000, second = first + 50_000;
        Send(bench, first);
        _ = Copies(bench, first + Patience);
        bench.Ack(first + Patience + RoundTrip, next, (uint)(isCopy ? first + Patience : first), next + 1);
        Assert.Equal(0, bench.Engine.InFlight);
        Send(bench, second);
        Assert.Equal(isCopy ? [next + 1] : [], Copies(bench, second + Patience).Select(c => c.Number));
    }

    [Fact]
    public void TheRoundTripIsTheCopysOwn()
    {
        EngineBench bench = Lossy(out uint next);
        int before = bench.Engine.SmoothedRoundTrip;
        Send(bench, Start);
        _ = Copies(bench, Start + Patience);
        bench.Ack(Start + Patience + RoundTrip, next, (uint)(Start + Patience), next + 1);
        Assert.Equal(before, bench.Engine.SmoothedRoundTrip);
    }

    /// <summary>A peer that has forgotten the conversation may have got the copy alone.</summary>
    [Fact]
    public void WhoeverKnowsTheCopyIsBelieved()
    {
        EngineBench bench = Lossy(out uint next);
        Send(bench, Start);
        _ = Copies(bench, Start + Patience);
        bench.Feed(Start + 80, new KcpSegment(EngineBench.Conv, KcpCommand.Unknown, 0, 0, (uint)(Start + Patience), next, 0, 0));
        Assert.True(bench.Engine.PeerForgot);
    }

    /// <summary>A datagram leaves anyway.</summary>
    [Fact]
    public void AcknowledgementsThatWaitGoAlong()
    {
        EngineBench bench = Lossy(out _, Options with { AckNoDelay = false, Interval = 100 });
        Send(bench, Start);
        bench.Push(Start + 1, 0);
        Assert.Empty(bench.Drain(Start + 1));
        Assert.Equal([KcpCommand.Ack, KcpCommand.Push], bench.AdvanceAndDrain(Start + Patience).Select(s => s.Command));
    }

    /// <summary>An engine whose path has lost one segment, with nothing in flight; before <see cref="Start"/>.</summary>
    private static EngineBench Lossy(out uint next, KcpOptions? options = null)
    {
        EngineBench bench = Quiet(RoundTrip, options);
        Lose(bench, 1, 500, RoundTrip);
        next = 2;
        return bench;
    }

    /// <summary>An engine whose path has lost nothing yet.</summary>
    private static EngineBench Quiet(int roundTrip, KcpOptions? options = null)
    {
        var bench = new EngineBench(options ?? Options);
        Send(bench, 0);
        bench.Ack(roundTrip, 0, 0, 1);
        return bench;
    }

    private static void Lose(EngineBench bench, uint number, long now, int roundTrip)
    {
        Send(bench, now);
        long again = now;
        // Its copy is lost, too.
        while (bench.Engine.Counters.TimeoutRetransmits < number)
            _ = Copies(bench, again = bench.Engine.Deadline);
        bench.Ack(again + roundTrip, number, (uint)again, number + 1);
        Assert.Equal(0, bench.Engine.InFlight);
    }

    private static void Send(EngineBench bench, long now)
    {
        bench.User.ToSend = 100;
        Assert.Single(bench.Pushes(now));
    }

    /// <summary>What is sent once a time has come, though nobody has written anything.</summary>
    private static IEnumerable<(uint Number, uint Timestamp)> Copies(EngineBench bench, long now) =>
        [.. bench.AdvanceAndDrain(now).Where(s => s.Command == KcpCommand.Push).Select(s => (s.Number, s.Timestamp))];
}
