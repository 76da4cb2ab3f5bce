namespace Tunnel.App.Config.Toml;

/// <summary>
/// The document as it grows, and the rules of what may define a table and who may add to it. A header that breaks a rule is
/// reported, and the keys under it go into a table outside the document: they are still checked, without errors that only follow
/// from the first.
/// </summary>
internal sealed class TomlTree(TomlErrors errors)
{
    /// <summary>How deep tables, arrays and keys may nest. Far beyond sense, far below the end of the stack.</summary>
    public const int MaxDepth = 128;

    private TomlTable? _current;

    public TomlTable Root { get; } = new(TomlPosition.Start, TomlTableOrigin.Header);

    /// <summary>How deep the current table lies.</summary>
    public int Depth { get; private set; }

    private TomlTable Current => _current ?? Root;

    /// <summary><c>[path]</c> or <c>[[path]]</c>: what follows goes there.</summary>
    public void Open(List<TomlKey> path, TomlPosition position, bool isArray)
    {
        Depth = path.Count;
        TomlTable? parent = Root;
        foreach (TomlKey key in path[..^1])
        {
            parent = Enter(parent, key);
            if (parent is null)
            {
                Detach();
                return;
            }
        }

        _current = isArray ? AddElement(parent, path[^1], position) : Define(parent, path[^1], position);
        if (_current is null)
            Detach();
    }

    /// <summary>What follows goes into a table of no document.</summary>
    public void Detach() => _current = new TomlTable(TomlPosition.Start, TomlTableOrigin.Header);

    /// <summary>Sets a value in the current table.</summary>
    public void Set(List<TomlKey> path, TomlValue value) => Set(Current, path, value, errors);

    /// <summary>Sets a value below <paramref name="table"/>, making the tables that a dotted key names.</summary>
    public static void Set(TomlTable table, List<TomlKey> path, TomlValue value, TomlErrors errors)
    {
        foreach (TomlKey key in path[..^1])
        {
            TomlTable? next = EnterDotted(table, key, errors);
            if (next is null)
                return;

            table = next;
        }

        if (!table.TryAdd(path[^1], value))
            ReportDuplicate(table, path[^1], errors);
    }

    /// <summary>An inline table is complete: nothing adds to it, nor to the tables that its dotted keys made.</summary>
    public static void Close(TomlTable table)
    {
        table.Origin = TomlTableOrigin.Inline;
        foreach (TomlEntry entry in table.Entries)
        {
            if (entry.Value is TomlTable { Origin: TomlTableOrigin.DottedKey } inner)
                Close(inner);
        }
    }

    private TomlTable? Enter(TomlTable table, TomlKey key)
    {
        if (!table.TryGet(key.Name, out TomlEntry? entry))
            return Add(table, key, new TomlTable(key.Position, TomlTableOrigin.Implied));

        switch (entry.Value)
        {
            case TomlTable { Origin: not TomlTableOrigin.Inline } inner:
                return inner;
            case TomlArray { IsOfTables: true } array:
                return (TomlTable)array.Items[^1];
            case TomlTable:
                return Fail(key, $"the inline table '{key.Name}' is complete and cannot be extended");
            default:
                return Fail(key, $"'{key.Name}' is {entry.Value.Kind} (line {entry.Position.Line}) and cannot hold tables");
        }
    }

    private TomlTable? Define(TomlTable parent, TomlKey key, TomlPosition position)
    {
        if (!parent.TryGet(key.Name, out TomlEntry? entry))
            return Add(parent, key, new TomlTable(position, TomlTableOrigin.Header));
        if (entry.Value is not TomlTable { Origin: TomlTableOrigin.Implied } table)
            return Fail(key, $"'{key.Name}' is already defined, at line {entry.Position.Line}");

        table.Origin = TomlTableOrigin.Header;
        return table;
    }

    private TomlTable? AddElement(TomlTable parent, TomlKey key, TomlPosition position)
    {
        var element = new TomlTable(position, TomlTableOrigin.Header);
        if (!parent.TryGet(key.Name, out TomlEntry? entry))
        {
            var array = new TomlArray(position, isOfTables: true);
            array.Add(element);
            parent.TryAdd(key, array);
            return element;
        }

        if (entry.Value is not TomlArray { IsOfTables: true } existing)
            return Fail(key, $"'{key.Name}' is {entry.Value.Kind} (line {entry.Position.Line}) and not an array of tables");

        existing.Add(element);
        return element;
    }

    private static TomlTable? EnterDotted(TomlTable table, TomlKey key, TomlErrors errors)
    {
        if (!table.TryGet(key.Name, out TomlEntry? entry))
            return Add(table, key, new TomlTable(key.Position, TomlTableOrigin.DottedKey));

        if (entry.Value is not TomlTable { Origin: TomlTableOrigin.Implied or TomlTableOrigin.DottedKey } inner)
        {
            ReportDuplicate(table, key, errors);
            return null;
        }

        inner.Origin = TomlTableOrigin.DottedKey;
        return inner;
    }

    private static TomlTable Add(TomlTable parent, TomlKey key, TomlTable table)
    {
        parent.TryAdd(key, table);
        return table;
    }

    private static void ReportDuplicate(TomlTable table, TomlKey key, TomlErrors errors)
    {
        table.TryGet(key.Name, out TomlEntry? first);
        errors.Add(key.Position, $"'{key.Name}' is already defined, at line {first!.Position.Line}");
    }

    private TomlTable? Fail(TomlKey key, string message)
    {
        errors.Add(key.Position, message);
        return null;
    }
}
