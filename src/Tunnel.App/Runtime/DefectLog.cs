using Microsoft.Extensions.Logging;

namespace Tunnel.App.Runtime;

/// <summary>
/// Defects of this program that did not end a session: they were met while one connection, stream or datagram was served by a thread that serves
/// many. That one ends, the others do not notice, and here it is counted and told, not more often than is useful. Thread-safe.
/// </summary>
public sealed partial class DefectLog
{
    private long _count;
    private volatile Listener? _listener;

    /// <summary>The process's: its threads are, too.</summary>
    public static DefectLog OfProcess { get; } = new();

    /// <summary>How many there were.</summary>
    public long Count => Interlocked.Read(ref _count);

    /// <summary>Who is told from now on.</summary>
    public void TellTo(ILogger logger) => _listener = new Listener(logger, new RateLimitedLog(logger, "defects"));

    /// <summary>Counts one. Never throws: nobody is left who would catch it.</summary>
    /// <param name="defect">What was thrown.</param>
    /// <param name="ended">What it cost.</param>
    public void Met(Exception defect, string ended)
    {
        Interlocked.Increment(ref _count);
        try
        {
            if (_listener is { } listener && listener.Limit.Admits())
                LogDefect(listener.Logger, ended, defect);
        }
        catch (Exception)
        {
            // It is counted all the same.
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "a defect of this program ended {What}, and nothing else; please report this")]
    private static partial void LogDefect(ILogger logger, string what, Exception defect);

    private sealed record Listener(ILogger Logger, RateLimitedLog Limit);
}
