namespace Tunnel.App.Config.Toml;

/// <summary>A place in the decoded text that moves forward and knows its line and column.</summary>
internal sealed class TomlCursor(string text)
{
    /// <summary>What <see cref="Current"/> and <see cref="Peek"/> give beyond the end.</summary>
    public const int End = -1;

    private int _index;
    private int _line = 1;
    private int _column = 1;

    public int Current => Peek(0);

    public bool AtEnd => _index >= text.Length;

    public bool AtLineEnd => Current is '\n' or End || AtCrLf;

    public bool AtCrLf => Current == '\r' && Peek(1) == '\n';

    public TomlPosition Position => new(_line, _column);

    public int Peek(int ahead) => _index + ahead < text.Length ? text[_index + ahead] : End;

    public bool StartsWith(string expected) => text.AsSpan(_index).StartsWith(expected, StringComparison.Ordinal);

    /// <summary>The rest of the current line, without its end.</summary>
    public ReadOnlySpan<char> RestOfLine
    {
        get
        {
            ReadOnlySpan<char> rest = text.AsSpan(_index);
            int end = rest.IndexOf('\n');
            return end < 0 ? rest : rest[..end];
        }
    }

    public void Advance(int count = 1)
    {
        for (int i = 0; i < count && !AtEnd; i++)
            AdvanceOne();
    }

    /// <summary>Moves on if the next character is this one.</summary>
    public bool TryTake(char expected)
    {
        if (Current != expected)
            return false;

        Advance();
        return true;
    }

    public void SkipBlanks()
    {
        while (TomlText.IsBlank(Current))
            Advance();
    }

    /// <summary>Moves behind one line end (LF or CR LF); false if there is none here.</summary>
    public bool TryTakeNewline()
    {
        if (AtEnd || !AtLineEnd)
            return false;

        Advance(AtCrLf ? 2 : 1);
        return true;
    }

    /// <summary>Moves to the start of the next line, whatever is in between.</summary>
    public void SkipLine()
    {
        Advance(RestOfLine.Length);
        Advance();
    }

    private void AdvanceOne()
    {
        char c = text[_index++];
        if (c == '\n')
        {
            _line++;
            _column = 1;
        }
        else if (!char.IsHighSurrogate(c))
        {
            // The second half of a pair counts for both.
            _column++;
        }
    }
}
