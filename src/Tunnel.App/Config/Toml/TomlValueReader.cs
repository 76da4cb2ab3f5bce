using System.Text;

namespace Tunnel.App.Config.Toml;

/// <summary>Reads values: what stands behind '=' and inside brackets and braces.</summary>
internal sealed class TomlValueReader(TomlCursor cursor, TomlErrors errors, TomlKeyReader keys)
{
    private readonly TomlStringReader _strings = new(cursor, errors);

    /// <summary>Arrays that were begun and not ended: above 0 behind a failure inside them.</summary>
    public int OpenBrackets { get; set; }

    /// <summary>The value here, after blanks; null, and reported, if there is none.</summary>
    /// <param name="depth">How deep in the document it lies. Bounded, because arrays and inline tables are read by recursion.</param>
    public TomlValue? Read(int depth)
    {
        cursor.SkipBlanks();
        TomlPosition position = cursor.Position;
        if (depth > TomlTree.MaxDepth)
            return Fail(position, $"nested deeper than {TomlTree.MaxDepth} levels");

        return cursor.Current switch
        {
            '"' or '\'' => _strings.Read() is { } text ? new TomlString(position, text) : null,
            '[' => ReadArray(depth),
            '{' => ReadInlineTable(depth),
            _ => ReadScalar(),
        };
    }

    private TomlArray? ReadArray(int depth)
    {
        var array = new TomlArray(cursor.Position, isOfTables: false);
        cursor.Advance();
        OpenBrackets++;
        while (true)
        {
            SkipToItem();
            if (cursor.TryTake(']'))
                break;

            TomlValue? item = Read(depth + 1);
            if (item is null)
                return null;

            array.Add(item);
            SkipToItem();
            if (!cursor.TryTake(',') && cursor.Current != ']')
            {
                errors.Add(cursor.Position, "expected ',' or ']' in the array");
                return null;
            }
        }

        OpenBrackets--;
        return array;
    }

    /// <summary>Inside an array, line ends and comments count as blanks.</summary>
    private void SkipToItem()
    {
        do
        {
            cursor.SkipBlanks();
            TomlComment.TrySkip(cursor, errors);
        }
        while (cursor.TryTakeNewline());
    }

    private TomlTable? ReadInlineTable(int depth)
    {
        // Open while it is read, as a table under a header is; closed for good by its brace.
        var table = new TomlTable(cursor.Position, TomlTableOrigin.Header);
        cursor.Advance();
        cursor.SkipBlanks();
        if (!cursor.TryTake('}') && !TryReadPairs(table, depth))
            return null;

        TomlTree.Close(table);
        return table;
    }

    private bool TryReadPairs(TomlTable table, int depth)
    {
        do
        {
            List<TomlKey>? path = keys.ReadWithEquals();
            TomlValue? value = path is null ? null : Read(depth + path.Count);
            if (path is null || value is null)
                return false;

            TomlTree.Set(table, path, value, errors);
            cursor.SkipBlanks();
        }
        while (cursor.TryTake(','));

        if (cursor.TryTake('}'))
            return true;

        errors.Add(cursor.Position, "expected ',' or '}' in the inline table, which must be on one line");
        return false;
    }

    private TomlValue? ReadScalar()
    {
        TomlPosition position = cursor.Position;
        string token = ReadToken();
        return token switch
        {
            "" => Fail(position, "expected a value"),
            "true" => new TomlBoolean(position, true),
            "false" => new TomlBoolean(position, false),
            _ when TomlMomentReader.LooksLikeMoment(token) => ReadMoment(position, token),
            _ => ReadNumber(position, token),
        };
    }

    private TomlDateTime? ReadMoment(TomlPosition position, string token)
    {
        if (TomlMomentReader.TryRead(token, out TomlMoment moment, out string? problem))
            return new TomlDateTime(position, moment);

        errors.Add(position, problem);
        return null;
    }

    private TomlValue? ReadNumber(TomlPosition position, string token) =>
        TomlNumberReader.Read(position, token, out string? problem) ?? Fail(position, problem!);

    private string ReadToken()
    {
        var token = new StringBuilder();
        while (IsTokenCharacter(cursor.Current) || IsGapInDateTime(token))
        {
            token.Append((char)cursor.Current);
            cursor.Advance();
        }

        return token.ToString();
    }

    private static bool IsTokenCharacter(int c) => TomlText.IsBareKey(c) || c is '+' or '.' or ':';

    /// <summary>One space may stand between a date and a time, in place of the T.</summary>
    private bool IsGapInDateTime(StringBuilder token) =>
        token.Length == 10 && cursor.Current == ' ' && TomlText.IsDigit(cursor.Peek(1)) && token[4] == '-' && token[7] == '-';

    private TomlValue? Fail(TomlPosition position, string message)
    {
        errors.Add(position, message);
        return null;
    }
}
