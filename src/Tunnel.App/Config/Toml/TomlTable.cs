using System.Diagnostics.CodeAnalysis;

namespace Tunnel.App.Config.Toml;

/// <summary>A table: its entries in the order of the file.</summary>
public sealed class TomlTable : TomlValue
{
    private readonly List<TomlEntry> _entries = [];
    private readonly Dictionary<string, TomlEntry> _byName = new(StringComparer.Ordinal);

    internal TomlTable(TomlPosition position, TomlTableOrigin origin)
        : base(position) => Origin = origin;

    public IReadOnlyList<TomlEntry> Entries => _entries;

    public override string Kind => "a table";

    /// <summary>What made the table: decides what else may add to it.</summary>
    internal TomlTableOrigin Origin { get; set; }

    public bool TryGet(string name, [NotNullWhen(true)] out TomlEntry? entry) => _byName.TryGetValue(name, out entry);

    /// <summary>Adds the entry; false if the name is taken.</summary>
    internal bool TryAdd(TomlKey key, TomlValue value)
    {
        var entry = new TomlEntry(key.Name, key.Position, value);
        if (!_byName.TryAdd(key.Name, entry))
            return false;

        _entries.Add(entry);
        return true;
    }
}

/// <summary>One name in a table: where the name stands, and its value.</summary>
public sealed record TomlEntry(string Name, TomlPosition Position, TomlValue Value);

/// <summary>One part of a dotted key.</summary>
internal readonly record struct TomlKey(string Name, TomlPosition Position);

internal enum TomlTableOrigin
{
    /// <summary>Named on the way to another: <c>a</c> in <c>[a.b]</c>. May still be defined, once.</summary>
    Implied,

    /// <summary>The root, a <c>[header]</c>, or an element of <c>[[header]]</c>.</summary>
    Header,

    /// <summary>By the leading parts of a dotted key. Open to dotted keys and to headers of tables below it.</summary>
    DottedKey,

    /// <summary>Written in braces: complete, closed.</summary>
    Inline,
}
