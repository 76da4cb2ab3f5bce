using Microsoft.Extensions.Logging;
using Tunnel.Protocol.Primitives;

namespace Tunnel.App.Runtime;

/// <summary>
/// Keeps one kind of message from flooding the log when what causes it is somebody else's doing: a few in each period are written,
/// the rest are counted, and how many there were is said when the period is over, before the next one that is written. Thread-safe.
/// </summary>
/// <param name="logger">Where the count goes.</param>
/// <param name="what">The kind of message, for the line with the count.</param>
/// <param name="now">The clock; null for the process's.</param>
public sealed partial class RateLimitedLog(ILogger logger, string what, Func<Instant>? now = null)
{
    /// <summary>Messages of a period that are written, unless said otherwise.</summary>
    public const int DefaultBurst = 10;

    /// <summary>The length of a period, in nanoseconds.</summary>
    public const long Period = 10_000_000_000;

    private readonly Lock _lock = new();
    private long _periodEnds = long.MinValue;
    private int _written;
    private long _leftOut;

    /// <summary>Messages of a period that are written.</summary>
    public int Burst { get; init; } = DefaultBurst;

    /// <summary>Messages that were not written, all told.</summary>
    public long TotalLeftOut { get; private set; }

    /// <summary>Whether the caller may write its message.</summary>
    public bool Admits()
    {
        lock (_lock)
        {
            long time = (now?.Invoke() ?? MonotonicClock.Now).Nanoseconds;
            StartPeriod(time);
            if (++_written > Burst)
            {
                // A storm that ends must not keep its number to itself until the next one.
                if (_leftOut++ == 0)
                    _ = SettleAsync(TimeSpan.FromMicroseconds((_periodEnds - time) / 1000.0));
                TotalLeftOut++;
                return false;
            }
        }

        Settle();
        return true;
    }

    /// <summary>Says how many have been left out since it was said last, if any.</summary>
    internal void Settle()
    {
        long leftOut;
        lock (_lock)
            (leftOut, _leftOut) = (_leftOut, 0);
        if (leftOut == 1)
            LogOneLeftOut(logger, leftOut, what);
        else if (leftOut != 0)
            LogLeftOut(logger, leftOut, what);
    }

    private async Task SettleAsync(TimeSpan after)
    {
        await Task.Delay(after).ConfigureAwait(false);
        Settle();
    }

    private void StartPeriod(long time)
    {
        if (time < _periodEnds)
            return;
        _periodEnds = time + Period;
        _written = 0;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} more message about {What} was left out")]
    private static partial void LogOneLeftOut(ILogger logger, long count, string what);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} more messages about {What} were left out")]
    private static partial void LogLeftOut(ILogger logger, long count, string what);
}
