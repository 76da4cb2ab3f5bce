using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Tunnel.App.Hosting;

namespace Tunnel.Tests.Hosting;

/// <summary>What a message looks like in each form.</summary>
public class LoggingTests
{
    [Theory]
    [InlineData(LogLevel.Trace, "trace   ", "<7>")]
    [InlineData(LogLevel.Debug, "debug   ", "<7>")]
    [InlineData(LogLevel.Information, "info    ", "<6>")]
    [InlineData(LogLevel.Warning, "warning ", "<4>")]
    [InlineData(LogLevel.Error, "error   ", "<3>")]
    [InlineData(LogLevel.Critical, "critical", "<2>")]
    public void TextHasTheTimeOrTheJournalsPriority(LogLevel level, string name, string prefix)
    {
        Assert.Matches($@"^\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{{3}} {name} message\n$", Text(false, level, "message"));
        Assert.Equal($"{prefix}message\n", Text(true, level, "message"));
    }

    /// <summary>Whoever chooses a message's text must not be able to forge a line, nor to command the terminal.</summary>
    [Fact]
    public void ALineBeginsWhereAMessageDoes()
    {
        Assert.EndsWith(" one\n    two ?[31m\n", Text(false, LogLevel.Warning, "one\r\ntwo \u001b[31m"), StringComparison.Ordinal);
        Assert.Equal("<4>one\n<4>    two ?[31m\n", Text(true, LogLevel.Warning, "one\ntwo \u001b[31m"));
        Assert.Equal("<3>it broke\n<3>    System.IO.IOException: why\n", Text(true, LogLevel.Error, "it broke", new IOException("why")));
    }

    [Fact]
    public void JsonIsOneObjectALine()
    {
        KeyValuePair<string, object?>[] fields =
        [
            new("Count", 7), new("Big", ulong.MaxValue), new("Share", 0.5), new("NotANumber", double.NaN), new("Peer", new Version(1, 2)),
            new("Nothing", null), new("Is", true), new("{OriginalFormat}", "x"),
        ];
        var entry = new LogEntry<KeyValuePair<string, object?>[]>(
            LogLevel.Warning, "tunnel", new EventId(12, "LogThat"), fields, new IOException("why"), (_, _) => "two\n\"lines\"");
        string line = Render(new JsonFormatter(Options.Create(new LineOptions())), entry);
        Assert.Equal(line.Length - 1, line.IndexOf('\n'));
        using JsonDocument json = JsonDocument.Parse(line);
        JsonElement root = json.RootElement;
        Assert.InRange(DateTime.UtcNow - root.GetProperty("time").GetDateTime(), TimeSpan.FromSeconds(-1), TimeSpan.FromMinutes(5));
        Assert.Equal("warning", root.GetProperty("level").GetString());
        Assert.Equal("tunnel", root.GetProperty("category").GetString());
        Assert.Equal(12, root.GetProperty("event_id").GetInt32());
        Assert.Equal("LogThat", root.GetProperty("event").GetString());
        Assert.Equal("two\n\"lines\"", root.GetProperty("message").GetString());
        Assert.Equal("System.IO.IOException: why", root.GetProperty("exception").GetString());
        Assert.Equal(
            "{\"Count\":7,\"Big\":18446744073709551615,\"Share\":0.5,\"NotANumber\":\"NaN\",\"Peer\":\"1.2\",\"Nothing\":null,\"Is\":true}",
            root.GetProperty("fields").GetRawText());
        Assert.StartsWith("<4>{", Render(new JsonFormatter(Options.Create(new LineOptions { IsJournal = true })), entry), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("8:12345", "socket:[12345]", true)]
    [InlineData("8:12345", "socket:[12346]", false)]
    [InlineData("8:12345", "pipe:[12345]", false)]
    [InlineData("8:12345", "/dev/pts/0", false)]
    [InlineData("8:12345", null, false)]
    [InlineData("12345", "socket:[12345]", false)]
    [InlineData("8:", "socket:[]", false)]
    [InlineData("", "socket:[0]", false)]
    [InlineData(null, "socket:[1]", false)]
    public void TheJournalIsKnownByItsSocket(string? stream, string? link, bool isIt) => Assert.Equal(isIt, Journal.Names(stream, link));

    private static string Text(bool isJournal, LogLevel level, string message, Exception? exception = null) => Render(
        new TextFormatter(Options.Create(new LineOptions { IsJournal = isJournal })),
        new LogEntry<string>(level, "tunnel", default, message, exception, (state, _) => state));

    private static string Render<T>(ConsoleFormatter formatter, LogEntry<T> entry)
    {
        var writer = new StringWriter();
        formatter.Write(entry, null, writer);
        return writer.ToString();
    }
}
