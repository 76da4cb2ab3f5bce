using System.Globalization;
using System.Text;
using Tunnel.App.Config.Schema;
using Tunnel.App.Config.Toml;

namespace Tunnel.App.Config.Loading;

/// <summary>The configuration in force, to be shown: what the file sets, what it leaves to defaults as comments, no secrets.</summary>
internal static class ShownConfig
{
    private const string Stars = "\"***\"";

    /// <param name="reader">Of a file without problems.</param>
    public static string Render(ConfigReader reader)
    {
        var text = new StringBuilder("# What is commented out is a default.\n");
        foreach (ConfigTable table in ConfigCatalog.Tables.Where(t => t.Side.HasFlag(reader.Side)))
        {
            TomlTable?[] tables = table.IsArray ? [.. reader.GetTables(table.Name)] : [reader.FindTable(table.Name)];
            foreach (TomlTable? found in tables)
                AppendTable(text, reader, table, found);
        }

        return text.ToString();
    }

    private static void AppendTable(StringBuilder text, ConfigReader reader, ConfigTable table, TomlTable? found)
    {
        text.Append($"\n{table.Header}\n");
        foreach (ConfigKey key in ConfigCatalog.KeysOf(table.Name).Where(k => k.Side.HasFlag(reader.Side)))
        {
            if (found is not null && found.TryGet(key.Name, out TomlEntry? entry))
                text.Append($"{key.Name} = {(key.IsSecret ? Stars : ValueText(entry.Value))}\n");
            else if (key.Default is not null && !IsMeantByAnother(reader, key))
                text.Append($"#{key.Name} = {key.Default}\n");
        }
    }

    /// <summary>The default is not what is in force: the mode or the profile decides.</summary>
    private static bool IsMeantByAnother(ConfigReader reader, ConfigKey key)
    {
        bool isManual = reader.Get(KcpKeys.Mode).Value is null;
        bool isKcptun = reader.Get(TransportKeys.Profile).Value == TransportProfile.Kcptun;
        ConfigKey[] guard = [KcpKeys.Block, KcpKeys.Guard, KcpKeys.GuardMagic, KcpKeys.GuardWindow, KcpKeys.GuardSkew];
        return !isManual && KcpKeys.Manual.Contains(key) || isKcptun && guard.Contains(key);
    }

    private static string ValueText(TomlValue value) => value switch
    {
        TomlString text => Quote(text.Value),
        TomlInteger integer => integer.Value.ToString(CultureInfo.InvariantCulture),
        TomlFloat number => number.Value.ToString("R", CultureInfo.InvariantCulture),
        TomlBoolean boolean => boolean.Value ? "true" : "false",
        TomlArray array => $"[{string.Join(", ", array.Items.Select(ValueText))}]",
        // No key takes another kind.
        _ => Quote(value.Kind),
    };

    private static string Quote(string text)
    {
        var quoted = new StringBuilder("\"");
        foreach (char c in text)
            quoted.Append(c is '"' or '\\' ? $"\\{c}" : char.IsControl(c) ? $"\\u{(int)c:X4}" : c.ToString());
        return quoted.Append('"').ToString();
    }
}
