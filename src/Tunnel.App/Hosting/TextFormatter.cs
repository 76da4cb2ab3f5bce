using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Tunnel.App.Hosting;

/// <summary>
/// One line a message: time, level, text. Line breaks inside a message are indented, so that a line's start is a message's; other
/// control characters become question marks, for a terminal would obey them. In the journal each line begins with its priority instead.
/// </summary>
internal sealed class TextFormatter(IOptions<LineOptions> options) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "text";

    private readonly bool _isJournal = options.Value.IsJournal;

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        string next = _isJournal ? $"\n{Journal.Prefix(logEntry.LogLevel)}    " : "\n    ";
        if (_isJournal)
            textWriter.Write(Journal.Prefix(logEntry.LogLevel));
        else
            WriteHead(logEntry.LogLevel, textWriter);
        textWriter.Write(Clean(logEntry.Formatter(logEntry.State, logEntry.Exception), next));
        if (logEntry.Exception is { } exception)
            textWriter.Write(next + Clean(exception.ToString(), next));
        textWriter.Write('\n');
    }

    private static void WriteHead(LogLevel level, TextWriter writer)
    {
        writer.Write(DateTime.Now.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture));
        writer.Write($" {LevelName.Of(level),-8} ");
    }

    private static string Clean(string text, string next)
    {
        string lines = text.ReplaceLineEndings("\n");
        if (lines.Any(c => char.IsControl(c) && c is not ('\n' or '\t')))
            lines = string.Concat(lines.Select(c => char.IsControl(c) && c is not ('\n' or '\t') ? '?' : c));
        return lines.Replace("\n", next);
    }
}
