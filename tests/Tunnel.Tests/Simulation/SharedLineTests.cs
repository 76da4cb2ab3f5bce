using Tunnel.Links.Memory;

namespace Tunnel.Tests.Simulation;

public class SharedLineTests
{
    /// <summary>
    /// None of them ever saw the queue of the others empty, unless all look at the same time: they would take it for the path, and what it loses
    /// for the path's loss, which each made up for by sending more.
    /// </summary>
    [Theory]
    [InlineData(200, 50, 50, 2, 0.02)]
    [InlineData(200, 50, 50, 4, 0.025)]
    [InlineData(500, 10, 20, 3, 0.01)]
    [InlineData(100, 20, 10, 4, 0.075)]
    [InlineData(50, 50, 20, 4, 0.09)]
    public void SessionsThatShareALineShareItEvenlyAndLoseLittle(int megabits, int roundTrip, int queueMilliseconds, int senders, double overflow)
    {
        var line = new SharedLine(senders, Line(megabits, roundTrip, queueMilliseconds), betweenStarts: 1000);
        line.Run(20_000);
        double[] each = line.Run(20_000);
        Assert.InRange(each.Sum(), 0.95 * megabits, 1.02 * megabits);
        // Jain's index: 1 when all have the same, 1/n when one has all.
        Assert.InRange(each.Sum() * each.Sum() / each.Length / each.Sum(r => r * r), 0.85, 1);
        Assert.InRange(line.Overflow, 0, overflow);
    }

    /// <summary>
    /// Those that begin cold, one shortly after the other, never see the queue empty, and of a short one round trips show nothing: each took for the path's loss
    /// what the others made it lose, made up for it by sending more, and so they lost a third and half of all for good. But more is lost the more is sent.
    /// </summary>
    [Theory]
    [InlineData(50, 50, 50, 4, 100, true, 0.03)]
    [InlineData(100, 200, 10, 4, 100, false, 0.12)]
    [InlineData(100, 50, 4, 8, 100, false, 0.3)]
    public void WhatSessionsLoseToOneAnotherIsNotMadeUpFor(
        int megabits, int roundTrip, int queueMilliseconds, int senders, int betweenStarts, bool isCold, double overflow)
    {
        var line = new SharedLine(senders, Line(megabits, roundTrip, queueMilliseconds), betweenStarts, isCold);
        line.Run(20_000);
        MemoryWireCounters before = line.Counters;
        double[] each = line.Run(10_000);
        Assert.InRange(each.Sum(), 0.93 * megabits, 1.02 * megabits);
        Assert.InRange((line.Counters.Overflowed - before.Overflowed) / (double)(line.Counters.Offered - before.Offered), 0, overflow);
    }

    private static MemoryWireOptions Line(int megabits, int roundTrip, int queueMilliseconds) => new()
    {
        DelayNanoseconds = roundTrip * 500_000L,
        BitsPerSecond = megabits * 1_000_000L,
        QueueBytes = megabits * 1000 / 8 * queueMilliseconds,
    };
}
