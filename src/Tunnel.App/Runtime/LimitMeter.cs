using Microsoft.Extensions.Logging;

namespace Tunnel.App.Runtime;

/// <summary>The bounds that keep a process whole, by the keys that set them.</summary>
public enum LimitKind
{
    MaxSessions,
    MaxStreamsTotal,
    MaxStreamsPerSession,
    HeaderTimeout,
    SmuxBuf,
    StreamBuf,
    Memory,
    MaxFlows,
    MaxAssociations,
}

/// <summary>Counts how often each bound was reached, and says so, not more often than is useful. Thread-safe.</summary>
public sealed partial class LimitMeter
{
    private readonly ILogger _logger;
    private readonly long[] _strikes = new long[Enum.GetValues<LimitKind>().Length];
    private readonly RateLimitedLog[] _logs;

    public LimitMeter(ILogger logger)
    {
        _logger = logger;
        _logs = [.. Enum.GetValues<LimitKind>().Select(limit => new RateLimitedLog(logger, KeyOf(limit)))];
    }

    /// <summary>How often a bound was reached.</summary>
    public long GetStrikes(LimitKind limit) => Interlocked.Read(ref _strikes[(int)limit]);

    /// <summary>A bound was reached.</summary>
    /// <param name="limit">Which.</param>
    /// <param name="consequence">What it meant, as the end of a sentence.</param>
    /// <param name="level">What is ordinary with slow readers is not for everybody's eyes.</param>
    public void Strike(LimitKind limit, string consequence, LogLevel level = LogLevel.Warning)
    {
        Interlocked.Increment(ref _strikes[(int)limit]);
        if (!_logger.IsEnabled(level) || !_logs[(int)limit].Admits())
            return;
        string key = KeyOf(limit);
        LogReached(_logger, level, key, consequence);
    }

    /// <summary>The setting's whole name.</summary>
    public static string KeyOf(LimitKind limit) => limit switch
    {
        LimitKind.MaxSessions => "transport.kcp.max_sessions",
        LimitKind.MaxStreamsTotal => "transport.kcp.max_streams_total",
        LimitKind.MaxStreamsPerSession => "transport.kcp.max_streams_per_session",
        LimitKind.HeaderTimeout => "transport.kcp.header_timeout",
        LimitKind.SmuxBuf => "transport.kcp.smuxbuf",
        LimitKind.StreamBuf => "transport.kcp.streambuf",
        LimitKind.MaxFlows => "udp.max_flows",
        LimitKind.MaxAssociations => "udp.max_associations",
        _ => "transport.memory",
    };

    [LoggerMessage(Message = "{Key} is reached: {Consequence}")]
    private static partial void LogReached(ILogger logger, LogLevel level, string key, string consequence);
}
