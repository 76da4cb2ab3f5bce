using Microsoft.Extensions.Logging;
using Tunnel.App.Config;

namespace Tunnel.App.Hosting;

/// <summary>The least important message that is written; may change at any time.</summary>
internal sealed class LogLevelSwitch(LogThreshold threshold)
{
    private volatile LogLevel _level = LevelOf(threshold);

    public bool Admits(LogLevel level) => level >= _level;

    public void Set(LogThreshold level) => _level = LevelOf(level);

    private static LogLevel LevelOf(LogThreshold level) => level switch
    {
        LogThreshold.Trace => LogLevel.Trace,
        LogThreshold.Debug => LogLevel.Debug,
        LogThreshold.Info => LogLevel.Information,
        LogThreshold.Warning => LogLevel.Warning,
        _ => LogLevel.Error,
    };
}
