using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Tunnel.App.Hosting;

/// <summary>One line a message: time, level, text. Line breaks inside a message are indented, so that a line's start is a message's.</summary>
internal sealed class LineFormatter() : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "line";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        string message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        textWriter.Write(DateTime.Now.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture));
        textWriter.Write(Label(logEntry.LogLevel));
        textWriter.WriteLine(message.ReplaceLineEndings("\n    "));
        if (logEntry.Exception is { } exception)
            textWriter.WriteLine("    " + exception.ToString().ReplaceLineEndings("\n    "));
    }

    private static string Label(LogLevel level) => level switch
    {
        LogLevel.Trace => " trace    ",
        LogLevel.Debug => " debug    ",
        LogLevel.Information => " info     ",
        LogLevel.Warning => " warning  ",
        LogLevel.Error => " error    ",
        _ => " critical ",
    };
}
