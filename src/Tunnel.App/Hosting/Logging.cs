using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Tunnel.App.Config;

namespace Tunnel.App.Hosting;

/// <summary>Where log lines go: standard error, one line each, as text or JSON; into the journal with its priorities.</summary>
internal static class Logging
{
    public static void Configure(ILoggingBuilder logging, LogConfig config, LogLevelSwitch level)
    {
        logging.SetMinimumLevel(LogLevel.Trace);
        logging.AddFilter(level.Admits);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        // Its errors are a failed start, of which the program itself says what a user needs, and a failed service, which it then
        // reports again as critical.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        logging.AddConsoleFormatter<TextFormatter, LineOptions>();
        logging.AddConsoleFormatter<JsonFormatter, LineOptions>();
        logging.Services.Configure<LineOptions>(o => o.IsJournal = Journal.IsStandardError());
        logging.AddConsole(o =>
        {
            o.LogToStandardErrorThreshold = LogLevel.Trace;
            o.FormatterName = config.Format == LogFormat.Json ? JsonFormatter.FormatterName : TextFormatter.FormatterName;
            // Whoever reads the log and stops must not stop the tunnel.
            o.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
        });
    }
}

/// <summary>How log lines are written.</summary>
internal sealed class LineOptions : ConsoleFormatterOptions
{
    /// <summary>They go to systemd's journal, which has a time of its own and takes the priority from a line's beginning.</summary>
    public bool IsJournal { get; set; }
}
