namespace Tunnel.App.Config.Schema;

/// <summary>What the writer of an unknown name probably meant.</summary>
internal static class Suggestion
{
    /// <summary>For an unknown key: the same name in another table, a similar name here, a similar name elsewhere.</summary>
    public static string? ForKey(string table, string name, ConfigSide side)
    {
        string[] homes = [.. ConfigCatalog.Keys.Where(key => key.Name == name && key.Side.HasFlag(side)).Select(key => Header(key.Table))];
        if (homes.Length > 0)
            return $"it belongs in {string.Join(" or ", homes)}";
        if (Nearest(name, ConfigCatalog.KeysOf(table), side) is { } here)
            return $"did you mean \"{here.Name}\"?";
        if (ConfigCatalog.Keys.FirstOrDefault(key => key.Name == name) is { } foreign)
            return $"it belongs in {Header(foreign.Table)} of a {NameOf(foreign.Side)}'s file";
        if (ForTable(Join(table, name), side) is { } tableHint)
            return tableHint;
        return Nearest(name, ConfigCatalog.Keys, side) is { } there ? $"did you mean \"{there.Name}\" in {Header(there.Table)}?" : null;
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

    private static ConfigKey? Nearest(string name, IEnumerable<ConfigKey> keys, ConfigSide side) =>
        EditDistance.Nearest(name, keys.Where(key => key.Side.HasFlag(side)), key => key.Name);

    private static string Header(string table) => ConfigCatalog.FindTable(table)!.Header;

    private static string Last(string name) => name[(name.LastIndexOf('.') + 1)..];
}
