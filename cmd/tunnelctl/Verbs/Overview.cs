using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;

namespace Tunnel.Ctl.Verbs;

/// <summary>What a group of commands says of each: one sentence. Examples and exit codes are in the command's own help.</summary>
internal static class Overview
{
    /// <summary>Columns of a help text, where the terminal has as many.</summary>
    private const int Width = 120;

    /// <summary>Breaks what is longer, also where the library would not: into a file or a pipe.</summary>
    public static void Narrow(RootCommand root)
    {
        foreach (HelpAction help in root.Options.Select(o => o.Action).OfType<HelpAction>())
            help.MaxWidth = Math.Min(help.MaxWidth, Width);
    }

    /// <summary>Shortens the descriptions of the commands in the group that is asked about; of the others nothing is shown.</summary>
    public static void Shorten(Command group)
    {
        foreach (Command command in group.Subcommands)
            command.Description = FirstSentence(command.Description ?? "");
    }

    /// <returns>The command as it is typed, such as "tunnelctl bench http".</returns>
    public static string PathOf(CommandResult command) =>
        command.Parent is CommandResult group ? $"{PathOf(group)} {command.Command.Name}" : "tunnelctl";

    /// <returns>The text up to the first full stop or question mark that ends a word, on one line; without either the first paragraph.</returns>
    public static string FirstSentence(string text)
    {
        string paragraph = text.Split("\n\n")[0];
        string[] words = paragraph.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        int last = Array.FindIndex(words, w => w[^1] is '.' or '?');
        return string.Join(' ', last < 0 ? words : words[..(last + 1)]);
    }
}
