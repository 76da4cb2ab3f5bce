namespace Tunnel.App.Config.Schema;

/// <summary>What the writer of an unknown name probably meant.</summary>
internal static class Suggestion
{
    /// <summary>
    /// For an unknown key: the same name in another table or the other end's file, or a similar name, best in this table.
    /// </summary>
    public static string? ForKey(string table, string name, ConfigSide side)
    {
        ConfigKey[] namesakes = [.. ConfigCatalog.Keys.Where(key => key.Name == name)];
        string[] homes = [.. namesakes.Where(key => key.Side.HasFlag(side)).Select(key => Header(key))];
        if (homes.Length > 0)
            return $"it belongs in {string.Join(" or ", homes)}";
        if (namesakes is [var foreign, ..])
            return $"it belongs in {Header(foreign)} of a {NameOf(foreign.Side)}'s file";
        if (Nearest(table, name, side) is not { } similar)
            return ForTable(Join(table, name), side);

        string home = similar.Table == table ? "" : $" in {Header(similar)}";
        return $"did you mean \"{similar.Name}\"{home}?";
    }

    /// <summary>For an unknown table: a similar name, with or without its parents.</summary>
    public static string? ForTable(string name, ConfigSide side)
    {
        IEnumerable<ConfigTable> candidates = ConfigCatalog.Tables.Where(table => table.Side.HasFlag(side));
        ConfigTable? nearest = EditDistance.Nearest(name, candidates, table => table.Name)
            ?? EditDistance.Nearest(Last(name), candidates, table => Last(table.Name));
        return nearest is null ? null : $"did you mean {nearest.Header}?";
    }

    public static string NameOf(ConfigSide side) => side == ConfigSide.Client ? "client" : "server";

    public static string Join(string table, string name) => table.Length == 0 ? name : $"{table}.{name}";

    private static ConfigKey? Nearest(string table, string name, ConfigSide side)
    {
        IEnumerable<ConfigKey> candidates = ConfigCatalog.Keys.Where(key => key.Side.HasFlag(side)).OrderBy(key => key.Table != table);
        return EditDistance.Nearest(name, candidates, key => key.Name);
    }

    private static string Header(ConfigKey key) => ConfigCatalog.FindTable(key.Table, key.Side)!.Header;

    private static string Last(string name) => name[(name.LastIndexOf('.') + 1)..];
}
