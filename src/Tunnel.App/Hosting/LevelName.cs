using Microsoft.Extensions.Logging;

namespace Tunnel.App.Hosting;

/// <summary>What levels are called, in the log as in the file.</summary>
internal static class LevelName
{
    public static string Of(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warning",
        LogLevel.Error => "error",
        _ => "critical",
    };
}
