using System.Buffers.Binary;
using System.Diagnostics;
using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;
using Tunnel.App.Diagnostics.Profiles;
using Tunnel.App.Diagnostics.Profiles.Nettrace;

namespace Tunnel.Bench;

/// <summary>
/// What the garbage collectors of running processes do within a window, by the runtime's own events: when it stops all threads and lets
/// them go again, and its count of bytes allocated.
/// </summary>
internal static class GarbageMeter
{
    private const long GCKeyword = 0x1;

    /// <summary>Between two values of the runtime's counters.</summary>
    private const double CounterSeconds = 0.5;

    private static readonly EventPipeProvider[] Providers =
    [
        new(NettraceEventType.Runtime, EventLevel.Informational, GCKeyword),
        new(GarbageEvents.Counters, EventLevel.Informational, 0, new Dictionary<string, string> { ["EventCounterIntervalSec"] = "0.5" }),
    ];

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
        var events = new GarbageEvents(opens, closes, CounterSeconds);
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
/// <param name="counterSeconds">Between two values of a counter: one that came sooner after the opening is of before as well.</param>
internal sealed class GarbageEvents(long opens, long closes, double counterSeconds) : INettraceSink
{
    /// <summary>The runtime's counters.</summary>
    public const string Counters = "System.Runtime";

    private const int SuspendBegin = 9;
    private const int RestartEnd = 3;

    /// <summary>Why threads are stopped: for a collection, or to prepare one. The other reasons are no collector's.</summary>
    private const int ForCollection = 1, ForPreparation = 6;

    private long _suspended;
    private int _pauses;
    private long _paused;
    private long _longest;
    private double _allocated;
    private double _counted;

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
            case (Counters, _) when e.Type.Name == "EventCounters" && e.Time - opens >= counterSeconds * Stopwatch.Frequency:
                TakeCounter(e.Payload);
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
        _counted > 0 ? _allocated / _counted : 0);

    private void AddPause(long ticks)
    {
        _pauses++;
        _paused += ticks;
        _longest = Math.Max(_longest, ticks);
    }

    /// <summary>A counter that grows: its name, two texts for people, by how much it grew, and in how many seconds.</summary>
    private void TakeCounter(ReadOnlySpan<byte> payload)
    {
        var cursor = new PayloadCursor(payload);
        if (cursor.ReadText() != "alloc-rate")
            return;
        cursor.SkipText();
        cursor.SkipText();
        _allocated += BitConverter.Int64BitsToDouble(cursor.ReadInt64());
        _counted += BitConverter.Int32BitsToSingle(cursor.ReadInt32());
    }

    private static double Milliseconds(long ticks) => ticks * 1000.0 / Stopwatch.Frequency;
}
