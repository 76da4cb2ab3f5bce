using System.Text;

namespace Tunnel.App.Config.Toml;

/// <summary>Reads keys: bare, quoted, dotted.</summary>
internal sealed class TomlKeyReader(TomlCursor cursor, TomlErrors errors)
{
    private readonly TomlStringReader _strings = new(cursor, errors);

    /// <summary>The parts of a key; null, and reported, if there is none here. Stops behind the blanks that follow it.</summary>
    public List<TomlKey>? Read()
    {
        var path = new List<TomlKey>();
        do
        {
            cursor.SkipBlanks();
            TomlPosition position = cursor.Position;
            string? name = ReadPart();
            if (name is null)
                return null;

            path.Add(new TomlKey(name, position));
            if (path.Count > TomlTree.MaxDepth)
            {
                errors.Add(position, $"a key has at most {TomlTree.MaxDepth} parts");
                return null;
            }

            cursor.SkipBlanks();
        }
        while (cursor.TryTake('.'));

        return path;
    }

    /// <summary>A key and the '=' behind it.</summary>
    public List<TomlKey>? ReadWithEquals()
    {
        List<TomlKey>? path = Read();
        if (path is null || cursor.TryTake('='))
            return path;

        errors.Add(cursor.Position, "expected '=' after the key");
        return null;
    }

    private string? ReadPart()
    {
        if (cursor.Current is not ('"' or '\''))
            return ReadBare();

        if (!cursor.StartsWith("\"\"\"") && !cursor.StartsWith("'''"))
            return _strings.Read();

        errors.Add(cursor.Position, "a key cannot be a multi-line string");
        return null;
    }

    private string? ReadBare()
    {
        TomlPosition position = cursor.Position;
        var name = new StringBuilder();
        for (; TomlText.IsBareKey(cursor.Current); cursor.Advance())
            name.Append((char)cursor.Current);
        if (name.Length > 0)
            return name.ToString();

        errors.Add(position, "expected a key: letters, digits, '_' and '-', or a quoted string");
        return null;
    }
}
