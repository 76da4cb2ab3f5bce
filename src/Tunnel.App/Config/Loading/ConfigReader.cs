using Tunnel.App.Config.Schema;
using Tunnel.App.Config.Toml;

namespace Tunnel.App.Config.Loading;

/// <summary>
/// Reads settings from one file and collects what is wrong with them. A bad value is reported here and replaced by the default, so
/// that reading goes on and finds the other problems; such a setting says so, and takes no part in further checks.
/// </summary>
internal sealed class ConfigReader(TomlDocument document, ConfigSide side, string folder)
{
    private readonly List<ConfigProblem> _problems = [.. document.Errors.Select(e => new ConfigProblem(e.Position, "", e.Message))];
    private readonly List<ConfigProblem> _warnings = [];
    private readonly Dictionary<ConfigKey, object?> _contents = [];
    private readonly List<string> _files = [];

    public ConfigSide Side => side;

    /// <summary>What relative paths are relative to.</summary>
    public string Folder => folder;

    public TomlTable Root => document.Root;

    /// <summary>Sorted by place.</summary>
    public IReadOnlyList<ConfigProblem> Problems => Sorted(_problems);

    public IReadOnlyList<ConfigProblem> Warnings => Sorted(_warnings);

    /// <summary>The other files that this one refers to, as paths.</summary>
    public IReadOnlyList<string> Files => _files;

    public Setting<T> Get<T>(ConfigKey<T> key) => Get(key, FindTable(key.Table));

    /// <summary>The setting in one of several tables of the same name.</summary>
    public Setting<T> Get<T>(ConfigKey<T> key, TomlTable? table)
    {
        // A key of the other side has been reported with the unknown ones.
        if (table is null || !key.Side.HasFlag(side) || !table.TryGet(key.Name, out TomlEntry? entry))
            return new(key.DefaultValue, table?.Position ?? TomlPosition.Start, SettingState.Absent);

        Parsed<T> parsed = key.Type.Read(entry.Value);
        if (parsed.Problem is null)
            return new(parsed.Value, entry.Value.Position, SettingState.Good);

        Report(parsed.At ?? entry.Value.Position, key, parsed.Problem, key.Allowed);
        return new(key.DefaultValue, entry.Value.Position, SettingState.Bad);
    }

    public Setting<T> Require<T>(ConfigKey<T> key) => Require(key, FindTable(key.Table));

    public Setting<T> Require<T>(ConfigKey<T> key, TomlTable? table)
    {
        Setting<T> setting = Get(key, table);
        if (!setting.IsSet)
            ReportMissing(setting.Position, key.FullName, "this is required", $"{key.Allowed}, such as {key.Example}");
        return setting;
    }

    /// <summary>The tables of a [[name]]; none if there is none.</summary>
    public IEnumerable<TomlTable> GetTables(string name) =>
        Root.TryGet(name, out TomlEntry? entry) && entry.Value is TomlArray array ? array.Items.OfType<TomlTable>() : [];

    /// <summary>The tables of a [[name]], or the one of a [name]; none if there is neither.</summary>
    public IEnumerable<TomlTable> GetTablesOrOne(string name) => FindTable(name) is { } table ? [table] : GetTables(name);

    /// <summary>The table, by its name with parents; null if there is none.</summary>
    public TomlTable? FindTable(string name)
    {
        TomlTable? table = Root;
        foreach (string part in name.Split('.'))
            table = table is not null && table.TryGet(part, out TomlEntry? entry) ? entry.Value as TomlTable : null;
        return table;
    }

    /// <summary>The key's entry, unread; null if there is none.</summary>
    public TomlEntry? Find(ConfigKey key) =>
        FindTable(key.Table) is { } table && table.TryGet(key.Name, out TomlEntry? entry) ? entry : null;

    /// <summary>A key refers to another file: its content belongs to the setting as much as its name.</summary>
    public void Refer(ConfigKey key, string path, object? content)
    {
        _files.Add(path);
        _contents[key] = content;
    }

    /// <summary>What the file holds that the key refers to; null if the key refers to none.</summary>
    public object? ContentOf(ConfigKey key) => _contents.GetValueOrDefault(key);

    public void Report(TomlPosition position, ConfigKey key, string what, string? allowed = null) =>
        Report(position, key.FullName, what, allowed);

    public void Report(TomlPosition position, string key, string what, string? allowed = null) =>
        _problems.Add(new ConfigProblem(position, key, what, allowed));

    /// <summary>
    /// Reports that something is not there, unless the file has lines that could not be read: it may stand on one of them.
    /// </summary>
    public void ReportMissing(TomlPosition position, string key, string what, string? allowed = null)
    {
        if (document.Errors.Count == 0)
            Report(position, key, what, allowed);
    }

    public void Warn(TomlPosition position, ConfigKey key, string what) =>
        _warnings.Add(new ConfigProblem(position, key.FullName, what));

    private static List<ConfigProblem> Sorted(IEnumerable<ConfigProblem> problems) =>
        [.. problems.OrderBy(problem => problem.Line).ThenBy(problem => problem.Column)];
}

/// <summary>A setting's value, and whence it came.</summary>
/// <param name="Value">From the file, or the default.</param>
/// <param name="Position">The value's place; for an absent one its table's, or the file's start.</param>
/// <param name="State">Whence.</param>
internal readonly record struct Setting<T>(T Value, TomlPosition Position, SettingState State)
{
    /// <summary>The file has the key, be it right or wrong.</summary>
    public bool IsSet => State != SettingState.Absent;

    /// <summary>The value means something: it is from the file and right, or the default.</summary>
    public bool IsSound => State != SettingState.Bad;
}

internal enum SettingState
{
    Absent,
    Bad,
    Good,
}
