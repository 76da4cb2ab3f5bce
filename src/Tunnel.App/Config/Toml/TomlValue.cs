namespace Tunnel.App.Config.Toml;

/// <summary>A value of a TOML document, and where it begins.</summary>
public abstract class TomlValue(TomlPosition position)
{
    public TomlPosition Position { get; } = position;

    /// <summary>The kind with its article, for sentences: "a string", "an array".</summary>
    public abstract string Kind { get; }
}

public sealed class TomlString(TomlPosition position, string value) : TomlValue(position)
{
    public string Value { get; } = value;

    public override string Kind => "a string";
}

public sealed class TomlInteger(TomlPosition position, long value) : TomlValue(position)
{
    public long Value { get; } = value;

    public override string Kind => "an integer";
}

public sealed class TomlFloat(TomlPosition position, double value) : TomlValue(position)
{
    public double Value { get; } = value;

    public override string Kind => "a float";
}

public sealed class TomlBoolean(TomlPosition position, bool value) : TomlValue(position)
{
    public bool Value { get; } = value;

    public override string Kind => "a boolean";
}

/// <summary>Any of the four date and time kinds.</summary>
public sealed class TomlDateTime(TomlPosition position, TomlMoment value) : TomlValue(position)
{
    public TomlMoment Value { get; } = value;

    public override string Kind => Value.Kind switch
    {
        TomlMomentKind.LocalDate => "a date",
        TomlMomentKind.LocalTime => "a time",
        _ => "a date-time",
    };
}

/// <summary>A static array (<c>[1, 2]</c>) or an array of tables (<c>[[name]]</c>).</summary>
public sealed class TomlArray : TomlValue
{
    private readonly List<TomlValue> _items = [];

    internal TomlArray(TomlPosition position, bool isOfTables)
        : base(position) => IsOfTables = isOfTables;

    public IReadOnlyList<TomlValue> Items => _items;

    /// <summary>True when <c>[[name]]</c> headers made it: only those can add to it.</summary>
    public bool IsOfTables { get; }

    public override string Kind => IsOfTables ? "an array of tables" : "an array";

    internal void Add(TomlValue item) => _items.Add(item);
}
