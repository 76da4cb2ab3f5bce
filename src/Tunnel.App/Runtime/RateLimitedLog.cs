using Microsoft.Extensions.Logging;

namespace Tunnel.App.Runtime;

/// <summary>
/// Keeps one kind of message from flooding the log when what causes it is somebody else's doing: a few in each period are written,
/// the rest are counted, and how many there were is said when the period is over, even if nothing follows. Thread-safe.
/// </summary>
/// <param name="logger">Where the count goes.</param>
/// <param name="what">The kind of message, for the line with the count.</param>
/// <param name="clock">Null for the system's.</param>
public sealed partial class RateLimitedLog(ILogger logger, string what, TimeProvider? clock = null)
{
    /// <summary>Messages of a period that are written, unless said otherwise.</summary>
    public const int DefaultBurst = 10;

    /// <summary>The length of a period.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private readonly Lock _lock = new();
    private long? _periodStarted;
    private int _written;
    private long _leftOut;
    private ITimer? _periodEnd;

    /// <summary>Messages of a period that are written.</summary>
    public int Burst { get; init; } = DefaultBurst;

    /// <summary>Messages that were not written, all told.</summary>
    public long TotalLeftOut { get; private set; }

    /// <summary>Whether the caller may write its message.</summary>
    public bool Admits()
    {
        lock (_lock)
        {
            TimeSpan left = PeriodLeft();
            if (++_written > Burst)
            {
                if (_leftOut++ == 0)
                    SettleAfter(left);
                TotalLeftOut++;
                return false;
            }
        }

        Settle();
        return true;
    }

    /// <summary>Says how many have been left out since it was said last, if any.</summary>
    private void Settle()
    {
        long leftOut;
        lock (_lock)
            (leftOut, _leftOut) = (_leftOut, 0);
        if (leftOut == 1)
            LogOneLeftOut(logger, leftOut, what);
        else if (leftOut != 0)
            LogLeftOut(logger, leftOut, what);
    }

    /// <summary>A storm that ends must not keep its number to itself until the next one.</summary>
    private void SettleAfter(TimeSpan time)
    {
        _periodEnd ??= _clock.CreateTimer(_ => Settle(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _periodEnd.Change(time, Timeout.InfiniteTimeSpan);
    }

    /// <summary>What is left of the period, or of the one that begins because it is over.</summary>
    private TimeSpan PeriodLeft()
    {
        long now = _clock.GetTimestamp();
        if (_periodStarted is { } started && _clock.GetElapsedTime(started, now) is var elapsed && elapsed < Period)
            return Period - elapsed;
        _periodStarted = now;
        _written = 0;
        return Period;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} more message about {What} was left out")]
    private static partial void LogOneLeftOut(ILogger logger, long count, string what);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} more messages about {What} were left out")]
    private static partial void LogLeftOut(ILogger logger, long count, string what);
}
