using System.Globalization;
using System.Text;
using Tunnel.App.Config.Schema;
using Tunnel.App.Config.Toml;

namespace Tunnel.App.Config.Loading;

/// <summary>A file's settings for <see cref="ShownConfig"/>: what it sets, what it leaves to defaults as comments, no secrets.</summary>
internal static class ShownLines
{
    private const string Stars = "\"***\"";

    /// <param name="reader">Of a file without problems.</param>
    public static ShownConfig Read(ConfigReader reader)
    {
        List<ShownSetting> settings = [];
        foreach (ConfigTable table in ConfigCatalog.Tables.Where(t => t.Side.HasFlag(reader.Side)))
        {
            ConfigKey[] keys = [.. ConfigCatalog.KeysOf(table.Name).Where(k => k.Side.HasFlag(reader.Side))];
            if (table.IsArray)
            {
                string[] tables = [.. reader.GetTables(table.Name).Select(t => HeaderOf(table) + string.Concat(keys.Select(k => LineOf(reader, k, t))))];
                settings.Add(new ShownSetting(table.Header, string.Concat(tables)));
                continue;
            }

            settings.Add(new ShownSetting(table.Header, HeaderOf(table)));
            TomlTable? found = reader.FindTable(table.Name);
            settings.AddRange(keys.Select(k => new ShownSetting(k.FullName, LineOf(reader, k, found))));
        }

        return new ShownConfig(settings);
    }

    private static string HeaderOf(ConfigTable table) => $"\n{table.Header}\n";

    /// <summary>Empty where there is nothing to say.</summary>
    private static string LineOf(ConfigReader reader, ConfigKey key, TomlTable? found)
    {
        if (found is not null && found.TryGet(key.Name, out TomlEntry? entry))
            return $"{key.Name} = {(key.IsSecret ? Stars : ValueText(entry.Value))}\n";
        return key.Default is not null && !IsMeantByAnother(reader, key) ? $"#{key.Name} = {key.Default}\n" : "";
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
