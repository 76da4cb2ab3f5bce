using System.CommandLine;
using System.CommandLine.Invocation;
using System.Text.RegularExpressions;
using Tunnel.App.Hosting;

namespace Tunnel.Ctl.Verbs;

/// <summary>What is wrong with a command line, and where its help is. Behind a page of help nobody sees what was wrong.</summary>
internal static partial class WrongCommandLine
{
    /// <returns>The exit code.</returns>
    public static int Say(ParseResult parsed, ParseErrorAction action, TextWriter to)
    {
        using var said = new StringWriter();
        action.ShowHelp = false;
        parsed.Invoke(new InvocationConfiguration { Output = TextWriter.Null, Error = said });
        to.WriteLine(Reworded(said.ToString().Trim()));
        to.WriteLine($"see {Overview.PathOf(parsed.CommandResult)} --help");
        return ExitCode.Usage;
    }

    /// <summary>The library names the runtime's types and the members of enumerations; users type neither.</summary>
    public static string Reworded(string text) => Unparsable().Replace(text, match =>
    {
        string value = match.Groups["value"].Value, type = match.Groups["type"].Value;
        string[] names = match.Groups["names"].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string wanted = names.Length != 0 ? $"one of {string.Join(", ", names).ToLowerInvariant()}"
            : type.Contains("Int", StringComparison.Ordinal) ? $"a whole number{(value.All(char.IsAsciiDigit) ? " of a size that fits" : "")}"
            : "a number";
        return $"{match.Groups["option"].Value}: \"{value}\" is not {wanted}";
    });

    [GeneratedRegex(
        @"Cannot parse argument '(?<value>[^']*)' for option '(?<option>[^']*)' as expected type '(?<type>[^']*)'\."
        + @"( Did you mean one of the following\?(?<names>(\r?\n\w+)+))?")]
    private static partial Regex Unparsable();
}
