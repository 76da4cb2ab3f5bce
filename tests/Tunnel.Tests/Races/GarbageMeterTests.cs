using System.Buffers.Binary;
using System.Diagnostics;
using Tunnel.App.Diagnostics.Profiles.Nettrace;
using Tunnel.Bench;

namespace Tunnel.Tests.Races;

public class GarbageMeterTests
{
    private const int SuspendBegin = 9, RestartEnd = 3, AllocationTick = 10;
    private const int ForCollection = 1, ForDebugger = 5;

    private static readonly long Millisecond = Stopwatch.Frequency / 1000;

    [Fact]
    public void PausesLastFromTheOrderToStopToTheLastThreadsStart()
    {
        var events = new GarbageEvents(0, 1000 * Millisecond);
        Pause(events, 10, 12, ForCollection);
        Pause(events, 20, 25, ForCollection);
        GarbageUse use = events.Sum(1);
        Assert.Equal((2, 7d, 5d), (use.Pauses, use.PauseMilliseconds, use.LongestMilliseconds));
    }

    [Fact]
    public void WhatIsNoCollectionsOrNotInTheWindowIsNotCounted()
    {
        var events = new GarbageEvents(100 * Millisecond, 200 * Millisecond);
        Pause(events, 10, 12, ForCollection);
        Pause(events, 99, 101, ForCollection);
        Pause(events, 120, 130, ForDebugger);
        Pause(events, 300, 310, ForCollection);
        Assert.Equal(0, events.Sum(0.1).Pauses);
    }

    [Fact]
    public void WhatIsAllocatedWithinTheWindowIsAddedUp()
    {
        var events = new GarbageEvents(100 * Millisecond, 2100 * Millisecond);
        foreach (long at in (long[])[50, 150, 2000, 2200])
            Tell(events, AllocationTick, at, Allocated(bytes: 106_000 + at));
        Assert.Equal((106_150 + 108_000) / 2d, events.Sum(2).AllocatedPerSecond);
    }

    /// <summary>This process collects and allocates all the time while it is watched, so that both are seen wherever the window lies.</summary>
    [Fact]
    public async Task ARuntimesEventsAreUnderstood()
    {
        using var end = new CancellationTokenSource();
        Task work = Task.Run(() => Litter(end.Token));
        GarbageUse? use = await GarbageMeter.WatchAsync(
            [Environment.ProcessId], TimeSpan.Zero, TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
        await end.CancelAsync();
        await work;
        Assert.NotNull(use);
        Assert.True(use.Pauses > 0, $"{use}");
        Assert.True(use.LongestMilliseconds > 0 && use.LongestMilliseconds <= use.PauseMilliseconds, $"{use}");
        Assert.True(use.AllocatedPerSecond > 0, $"{use}");
    }

    [Fact]
    public async Task AProcessThatIsNoneOfTheRuntimesIsNotKnown() => Assert.Null(
        await GarbageMeter.WatchAsync([int.MaxValue], TimeSpan.Zero, TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken));

    private static void Litter(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            GC.KeepAlive(new byte[10_000]);
            GC.Collect(0);
            // A storm of collections would leave the runtime no time to tell of them.
            Thread.Sleep(5);
        }
    }

    private static void Pause(GarbageEvents to, long from, long until, byte reason)
    {
        Tell(to, SuspendBegin, from, [reason, 0, 0, 0, 0, 0, 0, 0]);
        Tell(to, RestartEnd, until, []);
    }

    /// <summary>An allocation's event as the runtime writes it: the bytes (twice), their kind, the runtime's number, and what was allocated.</summary>
    private static byte[] Allocated(long bytes)
    {
        byte[] payload = new byte[48];
        BinaryPrimitives.WriteInt32LittleEndian(payload, (int)bytes);
        BinaryPrimitives.WriteInt64LittleEndian(payload.AsSpan(10), bytes);
        return payload;
    }

    private static void Tell(GarbageEvents to, int id, long milliseconds, byte[] payload) =>
        to.OnEvent(new NettraceEvent(new NettraceEventType(NettraceEventType.Runtime, id, ""), 1, 0, milliseconds * Millisecond, payload));
}
