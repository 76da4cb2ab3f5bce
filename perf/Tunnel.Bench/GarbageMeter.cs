using System.Buffers.Binary;
using System.Diagnostics;
using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;
using Tunnel.App.Diagnostics.Profiles;
using Tunnel.App.Diagnostics.Profiles.Nettrace;

namespace Tunnel.Bench;

/// <summary>
/// What the garbage collectors of running processes do within a window, by the runtime's own events: when it stops all threads and lets
/// them go again, and each time another hundred kilobytes have been allocated. Its counters would tell the bytes, too, but allocate
/// themselves for each value: enough to bring a collection into a lap of a process that allocates nothing.
/// </summary>
internal static class GarbageMeter
{
    private const long GCKeyword = 0x1;

    private static readonly EventPipeProvider[] Providers = [new(NettraceEventType.Runtime, EventLevel.Verbose, GCKeyword)];

    /// <param name="processes">.NET processes of this user.</param>
    /// <param name="from">When the window opens, from now.</param>
    /// <param name="length">How long it is open.</param>
    /// <param name="cancel">Ends it early.</param>
    /// <returns>All together; null when one could not be watched.</returns>
    public static async Task<GarbageUse?> WatchAsync(IReadOnlyList<int> processes, TimeSpan from, TimeSpan length, CancellationToken cancel)
    {
        long opens = Stopwatch.GetTimestamp() + (long)(from.TotalSeconds * Stopwatch.Frequency);
        long closes = opens + (long)(length.TotalSeconds * Stopwatch.Frequency);
        try
        {
            GarbageUse[] each = await Task.WhenAll(processes.Select(p => WatchAsync(p, opens, closes, cancel))).ConfigureAwait(false);
            return each.Length == 0 ? null : each.Aggregate((a, b) => a.With(b));
        }
        catch (ProfilerException)
        {
            return null;
        }
    }

    private static async Task<GarbageUse> WatchAsync(int process, long opens, long closes, CancellationToken cancel)
    {
        var events = new GarbageEvents(opens, closes);
        var left = TimeSpan.FromSeconds((closes - Stopwatch.GetTimestamp()) / (double)Stopwatch.Frequency);
        await EventPipeRecorder.RecordAsync(
            process,
            new EventPipeRecorder.Request(Providers, 0),
            stream => Task.Factory.StartNew(
                () => new NettraceReader(stream, events).Run(), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default),
            stop => Task.Delay(left < TimeSpan.Zero ? TimeSpan.Zero : left, stop),
            cancel).ConfigureAwait(false);
        return events.Sum((closes - opens) / (double)Stopwatch.Frequency);
    }
}

/// <summary>Of the processes that were watched, together.</summary>
/// <param name="Seconds">That they were watched.</param>
/// <param name="Pauses">How often a collection stopped a process.</param>
/// <param name="PauseMilliseconds">For how long in all.</param>
/// <param name="LongestMilliseconds">The longest of them.</param>
/// <param name="AllocatedPerSecond">Bytes.</param>
internal sealed record GarbageUse(double Seconds, int Pauses, double PauseMilliseconds, double LongestMilliseconds, double AllocatedPerSecond)
{
    public GarbageUse With(GarbageUse other) => new(
        Math.Max(Seconds, other.Seconds),
        Pauses + other.Pauses,
        PauseMilliseconds + other.PauseMilliseconds,
        Math.Max(LongestMilliseconds, other.LongestMilliseconds),
        AllocatedPerSecond + other.AllocatedPerSecond);
}

/// <summary>One process's events, of which those within the window count.</summary>
/// <param name="opens">By the stopwatch.</param>
/// <param name="closes">By the stopwatch.</param>
internal sealed class GarbageEvents(long opens, long closes) : INettraceSink
{
    private const int SuspendBegin = 9;
    private const int RestartEnd = 3;
    private const int AllocationTick = 10;

    /// <summary>Before the bytes in an allocation's event, from its fourth version on: the same in 32 bits, the kind, the runtime's number.</summary>
    private const int BeforeAmount = 4 + 4 + 2;

    /// <summary>Why threads are stopped: for a collection, or to prepare one. The other reasons are no collector's.</summary>
    private const int ForCollection = 1, ForPreparation = 6;

    private long _suspended;
    private int _pauses;
    private long _paused;
    private long _longest;
    private long _allocated;

    public void OnEvent(in NettraceEvent e)
    {
        if (e.Time < opens || e.Time > closes)
            return;
        switch (e.Type.Provider, e.Type.Id)
        {
            case (NettraceEventType.Runtime, SuspendBegin):
                int reason = BinaryPrimitives.ReadInt32LittleEndian(e.Payload);
                _suspended = reason is ForCollection or ForPreparation ? e.Time : 0;
                break;
            case (NettraceEventType.Runtime, RestartEnd) when _suspended != 0:
                AddPause(e.Time - _suspended);
                _suspended = 0;
                break;
            case (NettraceEventType.Runtime, AllocationTick):
                // What the first one tells of before the window, the last one leaves to after it.
                _allocated += BinaryPrimitives.ReadInt64LittleEndian(e.Payload[BeforeAmount..]);
                break;
        }
    }

    public void OnStack(int id, ReadOnlySpan<byte> addresses)
    {
        // Where something was allocated is not asked for.
    }

    public void OnStacksForgotten()
    {
        // None were kept.
    }

    public GarbageUse Sum(double seconds) => new(
        seconds,
        _pauses,
        Milliseconds(_paused),
        Milliseconds(_longest),
        seconds > 0 ? _allocated / seconds : 0);

    private void AddPause(long ticks)
    {
        _pauses++;
        _paused += ticks;
        _longest = Math.Max(_longest, ticks);
    }

    private static double Milliseconds(long ticks) => ticks * 1000.0 / Stopwatch.Frequency;
}
