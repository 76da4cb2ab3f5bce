using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Tunnel.App.Hosting;

/// <summary>Where log lines go: standard error, one line each; under systemd with the journal's priorities.</summary>
internal static class Logging
{
    public static void Configure(ILoggingBuilder logging, LogLevelSwitch level)
    {
        logging.SetMinimumLevel(LogLevel.Trace);
        logging.AddFilter(level.Admits);
        logging.AddFilter("Microsoft", LogLevel.Warning);
        // Its errors are a failed start, of which the program itself says what a user needs, and a failed service, which it then
        // reports again as critical.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        // The journal adds its own time and takes the priority from the line's prefix.
        bool journal = Environment.GetEnvironmentVariable("JOURNAL_STREAM") is not null;
        logging.AddConsoleFormatter<LineFormatter, ConsoleFormatterOptions>();
        logging.AddConsole(o =>
        {
            o.LogToStandardErrorThreshold = LogLevel.Trace;
            o.FormatterName = journal ? ConsoleFormatterNames.Systemd : LineFormatter.FormatterName;
        });
    }
}
