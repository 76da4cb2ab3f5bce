using System.CommandLine;
using System.Text.Json;
using Spectre.Console;
using Tunnel.App.Diagnostics.Status;
using Tunnel.App.Hosting;
using Tunnel.Ctl.Top;

namespace Tunnel.Ctl.Verbs;

/// <summary>top: what a running process does now, from its /status; live, or once.</summary>
internal static class TopVerb
{
    private const string Examples = """
        Examples:
          tunnelctl top                                     the process whose file has debug.pprof = "127.0.0.1:6060"
          tunnelctl top --url http://192.0.2.1:6060 --token-file token
          tunnelctl top --once                              once, for a log or a terminal that is none
          tunnelctl top --json                              its /status, once

        Killed with -9 it cannot give the terminal back: `reset` does.

        Exit codes: 0 shown, 1 nothing answers or it refuses, 2 the command line is wrong.
        """;

    private static readonly Option<string> Url = new("--url")
    {
        Description = "Where the process shows itself (debug.pprof)",
        DefaultValueFactory = _ => "http://127.0.0.1:6060",
    };

    private static readonly Option<string?> Token = new("--token") { Description = "debug.token; better --token-file: other users see command lines" };
    private static readonly Option<string?> TokenFile = new("--token-file") { Description = "A file with debug.token" };
    private static readonly Option<bool> Once = new("--once") { Description = "Print once and end" };
    private static readonly Option<bool> Json = new("--json") { Description = "Print the status as JSON, once" };

    public static Command Create()
    {
        var command = new Command("top", "Show what a running process does now.\n\n" + Examples) { Url, Token, TokenFile, Once, Json };
        command.Validators.Add(result =>
        {
            if (result.GetValue(Url) is { } url && ParseUrl(url) is null)
                result.AddError($"--url: {url} is not an http:// address");
            if (result.GetValue(Token) is not null && result.GetValue(TokenFile) is not null)
                result.AddError("--token or --token-file, not both");
        });
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancel)
    {
        try
        {
            string? token = parsed.GetValue(TokenFile) is { } file ? (await File.ReadAllTextAsync(file, cancel)).Trim() : parsed.GetValue(Token);
            using var source = new StatusSource(ParseUrl(parsed.GetValue(Url)!)!, token);
            StatusReport first = await source.ReadAsync(cancel);
            if (parsed.GetValue(Json))
                Console.Out.WriteLine(JsonSerializer.Serialize(first, StatusJson.Default.StatusReport));
            else if (parsed.GetValue(Once) || Console.IsOutputRedirected || Console.IsInputRedirected || !AnsiConsole.Profile.Capabilities.Ansi)
                PrintOnce(first);
            else
                await new TopScreen(source).RunAsync(first, cancel);
            return ExitCode.Success;
        }
        catch (Exception e) when (e is StatusException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine(e.Message);
            return ExitCode.Failure;
        }
    }

    private static Uri? ParseUrl(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? url) && url.Scheme is "http" or "https" ? url : null;

    private static void PrintOnce(StatusReport status)
    {
        IAnsiConsole console = Terminal.Output;
        console.Write(TopView.Render(status, TopSort.In, console.Profile.Width, int.MaxValue));
    }
}
