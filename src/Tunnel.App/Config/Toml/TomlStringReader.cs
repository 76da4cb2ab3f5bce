using System.Globalization;
using System.Text;

namespace Tunnel.App.Config.Toml;

/// <summary>
/// Reads the four kinds of strings. A bad character or escape is reported and the string goes on, so that one mistake gives one
/// error; only a string that never ends fails.
/// </summary>
internal sealed class TomlStringReader(TomlCursor cursor, TomlErrors errors)
{
    /// <summary>The string whose opening quote is here; null, and reported, if it does not end.</summary>
    public string? Read()
    {
        TomlPosition start = cursor.Position;
        char quote = (char)cursor.Current;
        bool isMultiLine = cursor.Peek(1) == quote && cursor.Peek(2) == quote;
        cursor.Advance(isMultiLine ? 3 : 1);
        var text = new StringBuilder();
        bool ended = isMultiLine ? ReadMultiLine(text, quote) : ReadSingleLine(text, quote);
        if (ended)
            return text.ToString();

        errors.Add(start, isMultiLine ? "this multi-line string does not end" : "this string does not end on its line");
        return null;
    }

    private bool ReadSingleLine(StringBuilder text, char quote)
    {
        while (!cursor.AtLineEnd)
        {
            if (cursor.TryTake(quote))
                return true;

            ReadCharacter(text, hasEscapes: quote == '"');
        }

        return false;
    }

    private bool ReadMultiLine(StringBuilder text, char quote)
    {
        cursor.TryTakeNewline();
        while (!cursor.AtEnd)
        {
            if (cursor.Current == quote)
            {
                if (ReadQuotes(text, quote))
                    return true;
            }
            else if (cursor.TryTakeNewline())
            {
                text.Append('\n');
            }
            else if (quote != '"' || !TrySkipLineContinuation())
            {
                ReadCharacter(text, hasEscapes: quote == '"');
            }
        }

        return false;
    }

    /// <summary>A run of quotes: three end the string, and one or two more in front of them belong to it.</summary>
    private bool ReadQuotes(StringBuilder text, char quote)
    {
        int count = 0;
        while (count < 5 && cursor.TryTake(quote))
            count++;
        text.Append(quote, count >= 3 ? count - 3 : count);
        return count >= 3;
    }

    /// <summary>A backslash at the end of a line swallows all white space up to the next other character.</summary>
    private bool TrySkipLineContinuation()
    {
        if (cursor.Current != '\\')
            return false;

        int ahead = 1;
        while (TomlText.IsBlank(cursor.Peek(ahead)))
            ahead++;
        if (cursor.Peek(ahead) != '\n' && !(cursor.Peek(ahead) == '\r' && cursor.Peek(ahead + 1) == '\n'))
            return false;

        cursor.Advance(ahead);
        do
            cursor.SkipBlanks();
        while (cursor.TryTakeNewline());
        return true;
    }

    private void ReadCharacter(StringBuilder text, bool hasEscapes)
    {
        if (hasEscapes && cursor.Current == '\\')
        {
            ReadEscape(text);
            return;
        }

        if (TomlText.IsForbidden(cursor.Current))
            errors.Add(cursor.Position, TomlText.NameControl(cursor.Current));
        text.Append((char)cursor.Current);
        cursor.Advance();
    }

    private void ReadEscape(StringBuilder text)
    {
        TomlPosition start = cursor.Position;
        cursor.Advance();
        int letter = cursor.Current;
        if (cursor.AtLineEnd)
        {
            errors.Add(start, "a backslash can end a line only in a multi-line basic string");
            return;
        }

        cursor.Advance();
        if (letter is 'u' or 'U')
            ReadCodePoint(text, start, digits: letter == 'u' ? 4 : 8);
        else if (Unescape(letter) is { } c)
            text.Append(c);
        else
            errors.Add(start, @"this escape is not known; allowed: \b \t \n \f \r \"" \\ \uXXXX \UXXXXXXXX");
    }

    private void ReadCodePoint(StringBuilder text, TomlPosition start, int digits)
    {
        var hex = new StringBuilder();
        for (; hex.Length < digits && cursor.Current is >= 0 and < 0x80 && char.IsAsciiHexDigit((char)cursor.Current); cursor.Advance())
            hex.Append((char)cursor.Current);

        if (hex.Length < digits)
            errors.Add(start, $"this escape needs {digits} hexadecimal digits");
        else if (!Rune.IsValid(uint.Parse(hex.ToString(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)))
            errors.Add(start, "this escape is not a Unicode scalar value (a surrogate, or above 10FFFF)");
        else
            text.Append(new Rune(uint.Parse(hex.ToString(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)).ToString());
    }

    private static char? Unescape(int letter) => letter switch
    {
        'b' => '\b',
        't' => '\t',
        'n' => '\n',
        'f' => '\f',
        'r' => '\r',
        '"' => '"',
        '\\' => '\\',
        _ => null,
    };
}
