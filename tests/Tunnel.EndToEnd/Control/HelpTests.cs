using System.Text.RegularExpressions;
using Tunnel.EndToEnd.Harness;

namespace Tunnel.EndToEnd.Control;

/// <summary>Every verb says how it is used: examples, exit codes, and JSON for programs.</summary>
[Collection(nameof(HelpTests))]
public partial class HelpTests : EndToEndTest
{
    private const int Columns = 120;

    [Fact(Timeout = Limit)]
    public async Task EveryVerbHasExamplesExitCodesAndJson()
    {
        string[] verbs = [.. VerbsIn(await HelpAsync()).Where(v => v != "bench"), "bench serve", "bench compare", "bench report"];
        string[] known = ["check", "demo", "dump", "emulate", "init", "keygen", "ping", "profile", "top", "tune-loop", "version"];
        Assert.Empty(known.Except(verbs));
        foreach (string verb in verbs)
            AssertSays(await HelpAsync(verb.Split(' ')), verb, $"tunnelctl {verb}", "Examples:", "Exit codes: ", "--json");
        AssertSays(await HelpAsync("bench"), "bench", "Examples:", "Exit codes: ");
        foreach (string load in VerbsIn(await HelpAsync("bench")))
            AssertSays(await HelpAsync("bench", load), load, $"tunnelctl bench {load}", "Examples:", "Exit codes: ", "--json");
    }

    /// <summary>A line for each verb, so that all of it is seen at once.</summary>
    [Fact(Timeout = Limit)]
    public async Task TheOverviewIsShort()
    {
        string help = await HelpAsync();
        Assert.DoesNotContain("Examples:", help, StringComparison.Ordinal);
        Assert.InRange(help.Split('\n').Length, 20, 50);
        AssertIsALineEach(help);
        AssertIsALineEach(await HelpAsync("bench"));
        AssertSays(help, "tunnelctl", "keygen            Print a new key");
    }

    [Theory(Timeout = Limit)]
    [InlineData("Unrecognized command or argument 'nonsense'", "see tunnelctl --help", "nonsense")]
    [InlineData("Unrecognized command or argument '--bogus'", "see tunnelctl keygen --help", "keygen", "--bogus")]
    [InlineData("is not an http:// address", "see tunnelctl top --help", "top", "--url", "ftp://x")]
    [InlineData("'--config' is required", "see tunnelctl ping --help", "ping")]
    [InlineData("--count: \"abc\" is not a whole number", "see tunnelctl ping --help", "ping", "--config", "x", "--count", "abc")]
    [InlineData("--count is between 1 and 1000000", "see tunnelctl ping --help", "ping", "--config", "x", "-n", "0")]
    [InlineData("--interval is between 0 and 3600", "see tunnelctl ping --help", "ping", "--config", "x", "-i", "NaN")]
    [InlineData("--timeout: \"soon\" is not a number", "see tunnelctl check --help", "check", "--timeout", "soon")]
    [InlineData("--timeout is more than 0", "see tunnelctl check --help", "check", "--timeout", "0")]
    [InlineData("--profile: \"fast\" is not one of latency, small, throughput", "see tunnelctl check --help", "check", "--profile", "fast")]
    [InlineData("--yes goes with --apply", "see tunnelctl check --help", "check", "--yes")]
    [InlineData("--backlog: \"x\" is not a whole number", "see tunnelctl tune-loop --help", "tune-loop", "--backlog", "x")]
    [InlineData("--rounds: \"99999999999\" is not a whole number of a size that fits", "see tunnelctl tune-loop --help", "tune-loop", "--rounds", "99999999999")]
    [InlineData("--stream: \"x\" is not a whole number", "see tunnelctl dump --help", "dump", "--stream", "x")]
    [InlineData("--count is 0 or more", "see tunnelctl dump --help", "dump", "-n", "-1")]
    [InlineData("--size is between 8 and 65507", "see tunnelctl bench udp --help", "bench", "udp", "127.0.0.1:1", "--size", "70000")]
    [InlineData("--size is between 1 and 65536", "see tunnelctl demo --help", "demo", "--size", "-1")]
    [InlineData("--backlog is 1 or more", "see tunnelctl bench serve --help", "bench", "serve", "--backlog", "0")]
    public async Task AWrongCommandLineIsSaidAndNothingElse(string says, string where, params string[] arguments)
    {
        ToolResult result = await Tool.RunAsync(Binaries.Control, arguments);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(says, result.Error, StringComparison.Ordinal);
        Assert.EndsWith(where, result.Error.Trim(), StringComparison.Ordinal);
        Assert.Empty(result.Output);
        Assert.DoesNotContain("System.", result.Error, StringComparison.Ordinal);
    }

    /// <summary>What makes no sense is the command line's fault, whoever finds out.</summary>
    [Theory(Timeout = Limit)]
    [InlineData("not http://HOST:PORT", "bench", "http", "127.0.0.1:9000")]
    [InlineData("--rounds 0: more than 0", "bench", "tcp", "127.0.0.1:1", "--rounds", "0")]
    [InlineData("--seconds -1: more than 0", "bench", "tcp", "127.0.0.1:1", "--seconds", "-1")]
    [InlineData("--concurrency \"a,b\": numbers", "bench", "tcp", "127.0.0.1:1", "-c", "a,b")]
    [InlineData("--pid \"x\": numbers", "bench", "tcp", "127.0.0.1:1", "--pid", "x")]
    [InlineData("--reload \"x\": numbers", "tune-loop", "--reload", "x")]
    [InlineData("is not ADDRESS:PORT", "bench", "serve", "--listen", "9000")]
    public async Task NonsenseIsAWrongCommandLine(string says, params string[] arguments)
    {
        ToolResult result = await Tool.RunAsync(Binaries.Control, arguments);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(says, result.Error, StringComparison.Ordinal);
    }

    /// <summary>Such terminals have tools that drive programs, and containers: 0 columns.</summary>
    [Fact(Timeout = Limit)]
    public async Task ATerminalThatDoesNotTellItsWidthWillDo()
    {
        ToolResult result = await Tool.RunAsync("script", "-qec", $"stty cols 0 rows 0; {Binaries.Control} keygen --help", "/dev/null");
        AssertSays(result.Expect(), "keygen", "Print a new key (256 random bits) for transport.kcp.key; both ends need the same.");
    }

    [Fact(Timeout = Limit)]
    public async Task AFullOutputIsALineAndNoStack()
    {
        ToolResult result = await Tool.RunAsync("sh", "-c", "\"$0\" keygen > /dev/full", Binaries.Control);
        Assert.Equal(1, result.ExitCode);
        Assert.Equal("No space left on device", result.Error.Trim());
    }

    private static void AssertIsALineEach(string help)
    {
        string[] lines = help[help.IndexOf("Commands:", StringComparison.Ordinal)..].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines[1..], line => Assert.Matches(Verb(), line));
    }

    /// <summary>Prose is broken by the terminal's width alone; where it was broken in the source as well, lines of a few words would show.</summary>
    [Fact(Timeout = Limit)]
    public async Task ProseFillsItsLines()
    {
        foreach (string verb in VerbsIn(await HelpAsync()))
        {
            string[] prose = [.. (await HelpAsync(verb)).Split("Usage:")[0].Split('\n').Where(l => l.StartsWith("  ", StringComparison.Ordinal) && l.TrimEnd().Length > 2)];
            for (int i = 0; i + 1 < prose.Length; i++)
            {
                bool goesOn = char.IsAsciiLetterLower(prose[i + 1][2]) && prose[i][2] != ' ';
                Assert.True(!goesOn || prose[i].Length + prose[i + 1].Trim().Split(' ')[0].Length > Columns - 2, $"{verb}: {prose[i]}|{prose[i + 1]}");
            }
        }
    }

    /// <summary>Words of the field, not names of the program's own.</summary>
    [Fact(Timeout = Limit)]
    public async Task FormatsAreNamedAsTheyAreTyped() =>
        AssertSays(await HelpAsync("profile"), "profile", "--format <pprof|speedscope|nettrace>", "what is written (pprof)");

    private static void AssertSays(string help, string verb, params string[] parts) =>
        Assert.All(parts, part => Assert.True(help.Contains(part, StringComparison.Ordinal), $"{verb} --help has no \"{part}\""));

    /// <summary>No help, of whatever verb, has a line that a wide terminal breaks.</summary>
    private static async Task<string> HelpAsync(params string[] verb)
    {
        string help = (await Tool.RunAsync(Binaries.Control, [.. verb, "--help"])).Expect();
        Assert.All(help.Split('\n'), line => Assert.True(line.Length <= Columns, $"{string.Join(' ', verb)} --help: {line.Length} columns: {line}"));
        return help;
    }

    /// <summary>Two blanks and a word begin a command; further lines of its description stand further in.</summary>
    private static IEnumerable<string> VerbsIn(string help) =>
        Verb().Matches(help[help.IndexOf("Commands:", StringComparison.Ordinal)..]).Select(m => m.Groups[1].Value);

    [GeneratedRegex(@"^  ([a-z][a-z-]*)\b", RegexOptions.Multiline)]
    private static partial Regex Verb();
}
