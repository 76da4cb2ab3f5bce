using Tunnel.App.Config.Schema;
using Tunnel.App.Config.Toml;

namespace Tunnel.App.Config.Loading;

/// <summary>
/// Finds the names that do not belong into a file: unknown ones, the other side's, tables that should be arrays. Messages show
/// names and never values, as an unknown key may be a secret's, misspelt.
/// </summary>
internal sealed class ShapeCheck(ConfigReader reader)
{
    public static void Run(ConfigReader reader) => new ShapeCheck(reader).CheckTable(reader.Root, "");

    private void CheckTable(TomlTable table, string path)
    {
        foreach (TomlEntry entry in table.Entries)
        {
            string name = Suggestion.Join(path, entry.Name);
            if (ConfigCatalog.FindKey(name) is { } key)
                CheckKey(entry, key);
            else if (ConfigCatalog.FindTable(name, reader.Side) is { } known)
                CheckKnownTable(entry, known);
            else
                ReportUnknown(entry, path, name);
        }
    }

    private void CheckKey(TomlEntry entry, ConfigKey key)
    {
        if (CheckSide(entry, key.FullName, key.Side) && !key.UsedBy.HasFlag(reader.Side))
            reader.Warn(entry.Position, key, $"only a {Suggestion.NameOf(key.UsedBy)} does something with this; this is a {Suggestion.NameOf(reader.Side)}'s file");
    }

    private void CheckKnownTable(TomlEntry entry, ConfigTable known)
    {
        if (!CheckSide(entry, known.Header, known.Side))
            return;

        switch (entry.Value)
        {
            case TomlTable table when !known.IsArray:
                CheckTable(table, known.Name);
                break;
            case TomlArray array when (known.IsArray || known.IsEither) && array.Items.All(item => item is TomlTable):
                foreach (TomlTable table in array.Items.Cast<TomlTable>())
                    CheckTable(table, known.Name);
                break;
            default:
                reader.Report(entry.Position, known.Name, $"this is {entry.Value.Kind}", $"a table with the header {known.Header}");
                break;
        }
    }

    private bool CheckSide(TomlEntry entry, string name, ConfigSide side)
    {
        if (side.HasFlag(reader.Side))
            return true;

        string what = $"this belongs in a {Suggestion.NameOf(side)}'s file only; this is a {Suggestion.NameOf(reader.Side)}'s";
        reader.Report(entry.Position, name, what);
        return false;
    }

    private void ReportUnknown(TomlEntry entry, string path, string name)
    {
        bool isTable = entry.Value is TomlTable or TomlArray { IsOfTables: true };
        string what = isTable ? "unknown table" : "unknown key";
        string? suggestion = isTable ? Suggestion.ForTable(name, reader.Side) : Suggestion.ForKey(path, entry.Name, reader.Side);
        string shown = BasicTypes.Quote(name)[1..^1];
        if (suggestion is null)
            reader.Report(entry.Position, shown, what, Known(path));
        else
            reader.Report(entry.Position, shown, $"{what}; {suggestion}");
    }

    /// <summary>What may stand in a table.</summary>
    private string Known(string path)
    {
        IEnumerable<string> names = ConfigCatalog.KeysOf(path).Where(key => key.Side.HasFlag(reader.Side)).Select(key => key.Name);
        IEnumerable<string> tables = ConfigCatalog.Tables.Where(table => table.Side.HasFlag(reader.Side)).Select(table => table.Header);
        return string.Join(", ", path.Length == 0 ? tables : names);
    }
}
