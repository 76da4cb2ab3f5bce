namespace Tunnel.App.Config.Toml;

/// <summary>
/// Reads a document statement by statement: headers and key-value lines. A statement that fails is reported by whoever saw why, and
/// the parser goes on at the next line.
/// </summary>
internal sealed class TomlParser
{
    private readonly TomlCursor _cursor;
    private readonly TomlErrors _errors;
    private readonly TomlKeyReader _keys;
    private readonly TomlValueReader _values;
    private readonly TomlTree _tree;

    public TomlParser(TomlCursor cursor, TomlErrors errors)
    {
        _cursor = cursor;
        _errors = errors;
        _keys = new TomlKeyReader(cursor, errors);
        _values = new TomlValueReader(cursor, errors, _keys);
        _tree = new TomlTree(errors);
    }

    public TomlTable Parse()
    {
        while (!_cursor.AtEnd && !_errors.IsFull)
        {
            _cursor.SkipBlanks();
            if (!TryParseStatement() || !TryEndLine())
                Recover();
        }

        return _tree.Root;
    }

    private bool TryParseStatement() => _cursor.Current switch
    {
        '#' or '\n' or '\r' or TomlCursor.End => true,
        '[' => TryParseHeader(),
        _ => TryParseKeyValue(),
    };

    private bool TryParseHeader()
    {
        TomlPosition position = _cursor.Position;
        bool isArray = _cursor.StartsWith("[[");
        string close = isArray ? "]]" : "]";
        _cursor.Advance(close.Length);
        List<TomlKey>? path = _keys.Read();
        if (path is null)
        {
            _tree.Detach();
            return false;
        }

        if (!_cursor.StartsWith(close))
        {
            _errors.Add(_cursor.Position, $"expected '{close}' at the end of the table's name");
            _tree.Detach();
            return false;
        }

        _cursor.Advance(close.Length);
        _tree.Open(path, position, isArray);
        return true;
    }

    private bool TryParseKeyValue()
    {
        List<TomlKey>? path = _keys.ReadWithEquals();
        if (path is null)
            return false;

        TomlValue? value = _values.Read(_tree.Depth + path.Count);
        if (value is null)
            return false;

        _tree.Set(path, value);
        return true;
    }

    /// <summary>What may follow a statement: blanks, a comment, the line's end.</summary>
    private bool TryEndLine()
    {
        _cursor.SkipBlanks();
        TomlComment.TrySkip(_cursor, _errors);
        if (_cursor.AtEnd || _cursor.TryTakeNewline())
            return true;

        string problem = TomlText.IsForbidden(_cursor.Current)
            ? TomlText.NameControl(_cursor.Current)
            : "expected the end of the line here";
        _errors.Add(_cursor.Position, problem);
        return false;
    }

    /// <summary>
    /// Goes to where a statement can begin. Behind an error inside brackets that is the next line that looks like one: the rest of
    /// a broken array would only give errors of its own.
    /// </summary>
    private void Recover()
    {
        _cursor.SkipLine();
        while (_values.OpenBrackets > 0 && !_cursor.AtEnd && !LooksLikeStatement(_cursor.RestOfLine))
            _cursor.SkipLine();
        _values.OpenBrackets = 0;
    }

    private static bool LooksLikeStatement(ReadOnlySpan<char> line)
    {
        ReadOnlySpan<char> rest = line.Trim();
        if (rest.StartsWith('['))
            return rest.TrimStart('[') is [var first, ..] && char.IsAsciiLetter(first);

        int length = 0;
        while (length < rest.Length && (TomlText.IsBareKey(rest[length]) || rest[length] == '.'))
            length++;
        return length > 0 && rest[length..].TrimStart().StartsWith('=');
    }
}
