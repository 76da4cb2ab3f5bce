using System.Text;
using Tunnel.App.Config.Toml;

namespace Tunnel.App.Config.Schema;

/// <summary>
/// The description of one key: all that the loader, the suggestions for unknown keys and the reference file know about it.
/// </summary>
internal abstract class ConfigKey(string table, string name)
{
    public string Table { get; } = table;

    public string Name { get; } = name;

    public string FullName => $"{Table}.{Name}";

    /// <summary>Whose file may have it.</summary>
    public ConfigSide Side { get; init; } = ConfigSide.Both;

    /// <summary>Whose process does something with it: files that ends share may have it at the other, to no effect.</summary>
    public ConfigSide UsedBy { get; init; } = ConfigSide.Both;

    /// <summary>One or two sentences for the reference.</summary>
    public required string Doc { get; init; }

    /// <summary>The default as TOML text; null if there is none.</summary>
    public string? Default { get; init; }

    /// <summary>For keys without default: something to show.</summary>
    public string? Example { get; init; }

    /// <summary>A running process follows when its file changes; false: it needs a restart.</summary>
    public bool IsLive { get; init; }

    /// <summary>Type, range and unit in words.</summary>
    public abstract string Allowed { get; }

    /// <summary>What the table of a valid file says: its value, or the default.</summary>
    /// <param name="table">Null if the file does not have it.</param>
    public abstract object? ValueIn(TomlTable? table);

    /// <summary>The value must not be shown.</summary>
    public abstract bool IsSecret { get; }
}

/// <inheritdoc/>
internal sealed class ConfigKey<T>(string table, string name, ConfigType<T> type) : ConfigKey(table, name)
{
    public ConfigType<T> Type { get; } = type;

    public override string Allowed => Type.Allowed;

    public override bool IsSecret => typeof(T) == typeof(Secret);

    /// <summary>
    /// <see cref="ConfigKey.Default"/>, read as a file's value would be, so that there is one truth; the type's own default
    /// (null, usually) if there is none.
    /// </summary>
    public T DefaultValue => Default is null ? default! : Parse(Default);

    public override object? ValueIn(TomlTable? table) =>
        table is not null && table.TryGet(Name, out TomlEntry? entry) ? Type.Read(entry.Value).Value : DefaultValue;

    private T Parse(string text)
    {
        TomlDocument document = TomlDocument.Parse(Encoding.UTF8.GetBytes($"default = {text}"));
        Parsed<T> parsed = Type.Read(document.Root.Entries[0].Value);
        return parsed.Problem is null ? parsed.Value : throw new InvalidOperationException($"{FullName}: {parsed.Problem}");
    }
}

/// <summary>Whose file may have a key or table.</summary>
[Flags]
internal enum ConfigSide
{
    Client = 1,
    Server = 2,
    Both = Client | Server,
}
