using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;

namespace Tunnel.Ctl.Verbs;

/// <summary>What a group of commands says of each: one sentence. Examples and exit codes are in the command's own help.</summary>
internal static class Overview
{
    /// <summary>Columns of a help text, where the terminal has as many.</summary>
    private const int Width = 120;

    /// <summary>Breaks what is longer, also where the library would not: into a file, a pipe, or a terminal that does not tell its width.</summary>
    public static void Narrow(RootCommand root)
    {
        foreach (HelpAction help in root.Options.Select(o => o.Action).OfType<HelpAction>())
            help.MaxWidth = help.MaxWidth > 0 ? Math.Min(help.MaxWidth, Width) : Width;
    }

    /// <summary>Shortens the descriptions of the commands in the group that is asked about; of the others nothing is shown.</summary>
    public static void Shorten(Command group)
    {
        foreach (Command command in group.Subcommands)
            command.Description = FirstSentence(command.Description ?? "");
    }

    /// <summary>Makes each paragraph of the command's description one line, which the library breaks to the terminal's width.</summary>
    public static void Unwrap(Command command) => command.Description = Joined(command.Description ?? "");

    /// <returns>The text with lines joined to those before, but for empty ones and those that are set in.</returns>
    public static string Joined(string text)
    {
        var lines = new List<string>();
        foreach (string line in text.Split('\n'))
        {
            if (IsProse(line) && lines.Count != 0 && IsProse(lines[^1]))
                lines[^1] += " " + line;
            else
                lines.Add(line);
        }

        return string.Join('\n', lines);

        static bool IsProse(string line) => line.Length != 0 && !char.IsWhiteSpace(line[0]);
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
