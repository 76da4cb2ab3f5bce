using Microsoft.Extensions.Logging;
using Tunnel.Protocol.Primitives;

namespace Tunnel.App.Runtime;

/// <summary>
/// Keeps one kind of message from flooding the log when what causes it is somebody else's doing: a few in each period are written,
/// the rest are counted, and the next one that is written is preceded by how many there were. Thread-safe.
/// </summary>
/// <param name="logger">Where the count goes.</param>
/// <param name="what">The kind of message, for the line with the count.</param>
/// <param name="burst">Messages of a period that are written.</param>
/// <param name="now">The clock; null for the process's.</param>
public sealed partial class RateLimitedLog(ILogger logger, string what, int burst = RateLimitedLog.Burst, Func<Instant>? now = null)
{
    /// <summary>Messages of a period that are written unless told otherwise.</summary>
    public const int Burst = 10;

    /// <summary>The length of a period, in nanoseconds.</summary>
    public const long Period = 10_000_000_000;

    private readonly Lock _lock = new();
    private long _periodEnds = long.MinValue;
    private int _written;
    private long _leftOut;

    /// <summary>Messages that were not written, all told.</summary>
    public long TotalLeftOut { get; private set; }

    /// <summary>Whether the caller may write its message.</summary>
    public bool Admits()
    {
        long leftOut;
        lock (_lock)
        {
            StartPeriod((now?.Invoke() ?? MonotonicClock.Now).Nanoseconds);
            if (++_written > burst)
            {
                _leftOut++;
                TotalLeftOut++;
                return false;
            }

            leftOut = _leftOut;
            _leftOut = 0;
        }

        if (leftOut != 0)
            LogLeftOut(logger, leftOut, what);
        return true;
    }

    private void StartPeriod(long time)
    {
        if (time < _periodEnds)
            return;
        _periodEnds = time + Period;
        _written = 0;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} more messages about {What} were left out")]
    private static partial void LogLeftOut(ILogger logger, long count, string what);
}
