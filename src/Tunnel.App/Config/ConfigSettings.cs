using System.Collections;
using Tunnel.App.Config.Loading;
using Tunnel.App.Config.Schema;
using Tunnel.App.Config.Toml;

namespace Tunnel.App.Config;

/// <summary>
/// What a valid file sets, key by key, with the defaults of the keys that it leaves out: for seeing what another one changes.
/// Immutable.
/// </summary>
public sealed class ConfigSettings
{
    private static readonly SettingComparer Comparer = new();

    private readonly List<Reading> _readings;

    private ConfigSettings(List<Reading> readings) => _readings = readings;

    /// <summary>What is different in <paramref name="next"/>, a file of the same side, in the order of the reference.</summary>
    public IReadOnlyList<ConfigChange> ChangesTo(ConfigSettings next) =>
        [.. _readings.Zip(next._readings).Where(r => !Comparer.Equals(r.First.Value, r.Second.Value)).Select(r => r.First.Setting)];

    internal static ConfigSettings Of(ConfigReader reader)
    {
        List<Reading> readings = [];
        foreach (ConfigTable table in ConfigCatalog.Tables.Where(table => table.Side.HasFlag(reader.Side)))
        {
            ConfigKey[] keys = [.. ConfigCatalog.KeysOf(table.Name).Where(key => key.Side.HasFlag(reader.Side))];
            if (table.IsArray)
                readings.Add(OfArray(reader, table, keys));
            else
                readings.AddRange(keys.Select(key => OfKey(reader, key)));
        }

        return new ConfigSettings(readings);
    }

    private static Reading OfKey(ConfigReader reader, ConfigKey key)
    {
        object?[] value = [key.ValueIn(reader.FindTable(key.Table)), reader.ContentOf(key)];
        return new Reading(new ConfigChange(key.FullName, key.IsLive), value);
    }

    /// <summary>Tables that may be repeated have no names of their own, so they count as one setting.</summary>
    private static Reading OfArray(ConfigReader reader, ConfigTable table, ConfigKey[] keys)
    {
        object?[] RowOf(TomlTable row) => [.. keys.Select(key => key.ValueIn(row))];
        object?[][] rows = [.. reader.GetTables(table.Name).Select(RowOf)];
        return new Reading(new ConfigChange(table.Header, keys.All(key => key.IsLive)), rows);
    }

    private readonly record struct Reading(ConfigChange Setting, object? Value);

    /// <summary>Values of keys are equal as such, lists of them item by item.</summary>
    private sealed class SettingComparer : IEqualityComparer<object?>
    {
        public new bool Equals(object? a, object? b) => (a, b) switch
        {
            (string, _) => object.Equals(a, b),
            (IEnumerable x, IEnumerable y) => x.Cast<object?>().SequenceEqual(y.Cast<object?>(), this),
            _ => object.Equals(a, b),
        };

        public int GetHashCode(object? obj) => 0;
    }
}

/// <summary>A setting that another file sets otherwise.</summary>
/// <param name="Name">The whole key, as transport.kcp.mtu; of tables that may be repeated, their header, as [[forward]].</param>
/// <param name="IsLive">A running process follows; false: it needs a restart.</param>
public sealed record ConfigChange(string Name, bool IsLive);
