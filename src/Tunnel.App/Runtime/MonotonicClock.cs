using System.Diagnostics;
using Tunnel.Protocol.Primitives;

namespace Tunnel.App.Runtime;

/// <summary>The process's monotonic clock; its origin is the process's start.</summary>
public static class MonotonicClock
{
    private static readonly long Start = Stopwatch.GetTimestamp();

    // Stopwatch ticks are nanoseconds on Linux; elsewhere the ratio is exact enough for millisecond timers.
    private static readonly double NanosecondsPerTick = 1e9 / Stopwatch.Frequency;

    public static Instant Now
    {
        get
        {
            long ticks = Stopwatch.GetTimestamp() - Start;
            return new Instant(Stopwatch.Frequency == 1_000_000_000 ? ticks : (long)(ticks * NanosecondsPerTick));
        }
    }
}
