namespace Tunnel.App.Config.Toml;

/// <summary>
/// A place in a TOML text. Both numbers start at 1, and columns count characters (Unicode scalar values): neither bytes nor UTF-16
/// units, so that an editor agrees.
/// </summary>
public readonly record struct TomlPosition(int Line, int Column) : IComparable<TomlPosition>
{
    /// <summary>The first character.</summary>
    public static readonly TomlPosition Start = new(1, 1);

    public int CompareTo(TomlPosition other) =>
        Line != other.Line ? Line.CompareTo(other.Line) : Column.CompareTo(other.Column);

    public override string ToString() => $"{Line}:{Column}";
}
