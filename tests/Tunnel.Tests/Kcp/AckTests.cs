using Tunnel.Links.Memory;
using Tunnel.Protocol.Kcp;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Kcp;

public class AckTests
{
    private static readonly KcpOptions Prompt = new() { AckNoDelay = true, Interval = 30 };
    private static readonly KcpOptions Lazy = new() { AckNoDelay = false, Interval = 30 };

    [Fact]
    public void PromptAcksLeaveWithTheBatch()
    {
        var bench = new EngineBench(Prompt);
        bench.Push(100, 0, timestamp: 55);
        KcpSegment ack = Assert.Single(bench.Drain(100));
        Assert.Equal(new KcpSegment(EngineBench.Conv, KcpCommand.Ack, 0, 2048, 55, 0, 1, 0), ack);
    }

    [Fact]
    public void LazyAcksWaitForTheInterval()
    {
        var bench = new EngineBench(Lazy);
        bench.Push(100, 0);
        Assert.Single(bench.Drain(100));
        bench.Push(110, 1);
        Assert.Empty(bench.AdvanceAndDrain(110));
        Assert.Equal(130, bench.Engine.Deadline);
        Assert.Empty(bench.AdvanceAndDrain(129));
        Assert.Single(bench.AdvanceAndDrain(130));
        Assert.Equal(long.MaxValue, bench.Engine.Deadline);
    }

    [Fact]
    public void AFullBatchOfLazyAcksDoesNotWait()
    {
        var bench = new EngineBench(Lazy);
        bench.Push(100, 0);
        bench.Drain(100);
        int batch = Lazy.Mtu / KcpSegment.HeaderLength;
        for (uint i = 0; i < batch; i++)
        {
            Assert.Empty(bench.Drain(101));
            // Number 1 is missing, so that each needs an acknowledgement of its own.
            bench.Push(101, 2 + i);
        }

        Assert.Equal(batch, bench.Drain(101).Count);
    }

    [Fact]
    public void DataTakesWaitingAcksAlong()
    {
        var bench = new EngineBench(Lazy);
        bench.Push(100, 0);
        bench.Drain(100);
        bench.Push(101, 1);
        bench.User.ToSend = 5;
        Assert.Equal(new[] { KcpCommand.Ack, KcpCommand.Push }, bench.Drain(101).Select(s => s.Command));
        Assert.Equal(1, bench.Datagrams);
    }

    [Fact]
    public void WhatUnaAcknowledgesIsNotAcknowledgedAgainButTheLast()
    {
        var bench = new EngineBench(Prompt);
        for (uint i = 0; i < 10; i++)
            bench.Push(100, i, timestamp: i);
        KcpSegment ack = Assert.Single(bench.Drain(100));
        Assert.Equal((9u, 9u, 10u), (ack.Number, ack.Timestamp, ack.Unacknowledged));
    }

    [Fact]
    public void WhatLiesBeyondAGapIsAcknowledgedOneByOne()
    {
        var bench = new EngineBench(Prompt);
        foreach (uint number in new uint[] { 0, 1, 3, 5, 4 })
            bench.Push(100, number);
        Assert.Equal(new uint[] { 3, 5, 4 }, bench.Drain(100).Select(s => s.Number));
    }

    [Fact]
    public void MoreAcksThanOneDatagramHolds()
    {
        var bench = new EngineBench(Prompt);
        for (uint i = 1; i <= 200; i++)
            bench.Push(100, i);
        Assert.Equal(Enumerable.Range(1, 200), bench.Drain(100).Select(s => (int)s.Number));
        Assert.Equal(4, bench.Datagrams);
    }

    /// <summary>Where one datagram of them is lost, the next one says it, and nothing of it is sent again for nothing.</summary>
    [Fact]
    public void WhatLiesBeyondAGapIsAcknowledgedOnceMoreWithWhatComesNext()
    {
        var bench = new EngineBench(Prompt);
        foreach (uint number in new uint[] { 0, 2, 3 })
            bench.Push(100, number);
        Assert.Equal(new uint[] { 2, 3 }, bench.Drain(100).Select(s => s.Number));
        bench.Push(101, 5, timestamp: 9);
        Assert.Equal([(2u, 0u), (3u, 0u), (5u, 9u)], bench.Drain(101).Select(s => (s.Number, s.Timestamp)));
        bench.Push(102, 6);
        Assert.Equal(new uint[] { 5, 6 }, bench.Drain(102).Select(s => s.Number));
        bench.Push(103, 4);
        Assert.Equal(new uint[] { 6, 4 }, bench.Drain(103).Select(s => s.Number));
    }

    /// <summary>By itself it is worth no datagram; and a stock peer would take the round trip from an echo that is old.</summary>
    [Fact]
    public void WhatIsRepeatedWaitsForAnAcknowledgementThatIsOwed()
    {
        var bench = new EngineBench(Prompt);
        bench.Push(100, 1);
        bench.Drain(100);
        bench.User.ToSend = 5;
        Assert.Equal(KcpCommand.Push, Assert.Single(bench.AdvanceAndDrain(150)).Command);
        Assert.Equal(0, bench.Engine.LocalWindow - Prompt.ReceiveWindow);
        bench.Push(160, 2);
        Assert.Equal(new uint[] { 1, 2 }, bench.Drain(160).Select(s => s.Number));
    }

    [Fact]
    public void WhatUnaCoversMeanwhileIsNotRepeated()
    {
        var bench = new EngineBench(Prompt);
        foreach (uint number in new uint[] { 1, 2, 4 })
            bench.Push(100, number);
        bench.Drain(100);
        bench.Push(101, 0);
        Assert.Equal(new[] { (4u, 3u), (0u, 3u) }, bench.Drain(101).Select(s => (s.Number, s.Unacknowledged)));
    }

    [Fact]
    public void TheNewestAreRepeatedAndNoMoreThanThirtyTwo()
    {
        var bench = new EngineBench(Prompt);
        for (uint i = 1; i <= 200; i++)
            bench.Push(100, i);
        bench.Drain(100);
        bench.Push(101, 201);
        Assert.Equal(Enumerable.Range(169, 33), bench.Drain(101).Select(s => (int)s.Number));
        Assert.Equal(1, bench.Datagrams);
    }

    /// <summary>Whatever is repeated leaves room for one that is owed behind it, also in the shortest datagrams.</summary>
    [Fact]
    public void NoDatagramHoldsRepeatedOnesOnly()
    {
        var bench = new EngineBench(Prompt with { Mtu = 3 * KcpSegment.HeaderLength });
        for (uint i = 1; i <= 20; i++)
            bench.Push(100, i);
        bench.Drain(100);
        bench.Push(101, 21);
        Assert.Equal(new uint[] { 1, 2, 21 }, bench.Drain(101).Select(s => s.Number));
    }

    /// <summary>A twentieth of all acknowledgements is lost; without repetition, as many segments are sent again that had arrived.</summary>
    [Fact]
    public void LostAcknowledgementsCostFewRetransmissions() => TestSeed.Run(5, seed =>
    {
        var line = new MemoryWireOptions { DelayNanoseconds = 25_000_000, BitsPerSecond = 100_000_000, QueueBytes = 600_000, Loss = 0.05 };
        var options = new KcpOptions { Interval = 10 };
        var pair = new EnginePair(options, options, line, seed);
        pair.UserA.ToSend = long.MaxValue / 2;
        pair.RunFor(3000);
        KcpCounters counters = pair.B.Counters;
        Assert.InRange(counters.SegmentsReceived, 15_000, long.MaxValue);
        Assert.InRange(counters.Duplicates, 0, counters.SegmentsReceived / 100);
    });

    [Fact]
    public void DuplicatesAreAcknowledgedAndCounted()
    {
        var bench = new EngineBench(Prompt);
        bench.Push(100, 0);
        bench.Push(100, 2);
        bench.Drain(100);
        bench.Push(101, 0, timestamp: 77);
        // Behind the one that is repeated.
        Assert.Equal([(2u, 0u), (0u, 77u)], bench.Drain(101).Select(s => (s.Number, s.Timestamp)));
        bench.Push(102, 2);
        Assert.Equal(2u, Assert.Single(bench.Drain(102)).Number);
        Assert.Equal((4, 2), (bench.Engine.Counters.SegmentsReceived, bench.Engine.Counters.Duplicates));
        Assert.Equal(10, bench.User.Received);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(128)]
    [InlineData(65535)]
    public void BeyondTheWindowIsNotAcknowledged(int window)
    {
        var bench = new EngineBench(Prompt with { ReceiveWindow = window });
        bench.Push(100, (uint)window, length: 1);
        Assert.Empty(bench.Drain(100));
        Assert.Equal(1, bench.Engine.Counters.OutOfWindow);
        bench.Push(100, (uint)window - 1, length: 1);
        Assert.Single(bench.Drain(100));
    }

    /// <summary>A host that was held up reads a segment and its copy at once: that nothing was lost, only the first one's echo tells.</summary>
    [Fact]
    public void OfTwoCopiesReadTogetherTheFirstIsEchoed()
    {
        var bench = new EngineBench(Prompt);
        bench.Push(500, 0, timestamp: 100);
        bench.Push(500, 0, timestamp: 300);
        KcpSegment ack = Assert.Single(bench.Drain(500));
        Assert.Equal((0u, 100u), (ack.Number, ack.Timestamp));
        bench.Push(600, 0, timestamp: 400);
        Assert.Equal(400u, Assert.Single(bench.Drain(600)).Timestamp);
    }
}
