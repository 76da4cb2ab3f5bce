namespace Tunnel.App.Config.Toml;

/// <summary>
/// What is wrong with a TOML text, and where. Messages never quote a value: it could be a secret whose quotes were forgotten.
/// </summary>
public sealed record TomlError(TomlPosition Position, string Message)
{
    public override string ToString() => $"{Position}: {Message}";
}

/// <summary>Collects errors up to a bound: a binary file must not yield a million of them.</summary>
internal sealed class TomlErrors
{
    public const int Limit = 100;

    private readonly List<TomlError> _errors = [];
    private readonly HashSet<int> _undecodableLines = [];

    public bool IsFull => _errors.Count >= Limit;

    public void Add(TomlPosition position, string message)
    {
        // A line that is not even text has been reported; what the parser makes of the replacement characters is noise.
        if (!IsFull && !_undecodableLines.Contains(position.Line))
            _errors.Add(new TomlError(position, message));
    }

    /// <summary>Reports bytes that are not UTF-8, once a line.</summary>
    public void AddUndecodable(TomlPosition position)
    {
        Add(position, "the bytes here are not valid UTF-8");
        _undecodableLines.Add(position.Line);
    }

    public IReadOnlyList<TomlError> ToSortedList() => [.. _errors.OrderBy(error => error.Position)];
}
