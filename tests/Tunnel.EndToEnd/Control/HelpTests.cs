using System.Text.RegularExpressions;
using Tunnel.EndToEnd.Harness;

namespace Tunnel.EndToEnd.Control;

/// <summary>Every verb says how it is used: examples, exit codes, and JSON for programs.</summary>
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
            AssertSays(await HelpAsync("bench", load), load, "--json");
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
    public async Task AWrongCommandLineIsSaidAndNothingElse(string says, string where, params string[] arguments)
    {
        ToolResult result = await Tool.RunAsync(Binaries.Control, arguments);
        Assert.Equal(2, result.ExitCode);
        Assert.Contains(says, result.Error, StringComparison.Ordinal);
        Assert.EndsWith(where, result.Error.Trim(), StringComparison.Ordinal);
        Assert.Empty(result.Output.Trim());
    }

    private static void AssertIsALineEach(string help)
    {
        string[] lines = help[help.IndexOf("Commands:", StringComparison.Ordinal)..].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines[1..], line => Assert.Matches(Verb(), line));
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
