using System.Text;
using Tunnel.App.Config.Schema;

namespace Tunnel.App.Config;

/// <summary>
/// The reference: every key with default, range and unit, from the same description that the loader checks files against. Lines
/// that begin with '#' and a letter are settings, commented out; lines with "# " are prose.
/// </summary>
public static class ReferenceFile
{
    private const string Preface = """
        # Every setting of both ends. A file needs few of them: see the folders beside this one.
        #
        # The lines that begin with '#' and have no blank behind it are settings with their defaults, or with an example where there is
        # no default. Remove the '#' to use one. Above each stand its meaning, what it takes, and whose file may have it if not both.
        # A file with an unknown key, or with a key of the other end, is refused.
        #
        # "Live" keys take effect when the file of a running process changes, or on SIGHUP, without a session or connection ended. Changes
        # of the others are named in the log and wait for a restart.

        """;

    /// <summary>The whole text of reference.toml.</summary>
    public static string Render()
    {
        var text = new StringBuilder(Preface);
        foreach (ConfigTable table in ConfigCatalog.Tables)
            AppendTable(text, table);
        return text.Replace("\r", "").ToString();
    }

    private static void AppendTable(StringBuilder text, ConfigTable table)
    {
        string side = table.Side == ConfigSide.Both ? "" : $" ({Suggestion.NameOf(table.Side)} only)";
        text.Append($"\n# {table.Doc}{side}\n#{table.Header}\n");
        foreach (ConfigKey key in ConfigCatalog.KeysOf(table))
            AppendKey(text, key, isSideClear: key.Side == table.Side);
    }

    private static void AppendKey(StringBuilder text, ConfigKey key, bool isSideClear)
    {
        string side = isSideClear ? "" : $" ({Suggestion.NameOf(key.Side)} only)";
        if (key.UsedBy != ConfigSide.Both)
            side += $" (Only a {Suggestion.NameOf(key.UsedBy)} does something with it.)";
        string origin = key.Default is null ? " No default; this is an example:" : "";
        string live = key.IsLive ? " Live." : " Restart.";
        text.Append($"\n# {key.Doc}{side}\n# Takes {key.Allowed}.{live}{origin}\n#{key.Name} = {key.Default ?? key.Example}\n");
    }
}
