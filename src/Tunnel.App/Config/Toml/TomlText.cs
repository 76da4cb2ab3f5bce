using System.Buffers;
using System.Text;

namespace Tunnel.App.Config.Toml;

/// <summary>UTF-8 in, characters out; and which characters TOML allows where.</summary>
internal static class TomlText
{
    /// <summary>Decodes; bytes that are not UTF-8 are reported, and become U+FFFD. A byte order mark at the start is skipped.</summary>
    public static string Decode(ReadOnlySpan<byte> utf8, TomlErrors errors)
    {
        if (utf8.StartsWith("\uFEFF"u8))
            utf8 = utf8[3..];

        var text = new StringBuilder(utf8.Length);
        TomlPosition position = TomlPosition.Start;
        int undecodableLine = 0;
        while (!utf8.IsEmpty)
        {
            OperationStatus status = Rune.DecodeFromUtf8(utf8, out Rune rune, out int length);
            if (status != OperationStatus.Done && position.Line != undecodableLine)
            {
                errors.AddUndecodable(position);
                undecodableLine = position.Line;
            }

            Append(text, rune);
            utf8 = utf8[length..];
            position = rune.Value == '\n' ? new(position.Line + 1, 1) : position with { Column = position.Column + 1 };
        }

        return text.ToString();
    }

    /// <summary>Control characters other than tab may stand nowhere (line ends are handled before this is asked).</summary>
    public static bool IsForbidden(int c) => c is >= 0 and < 0x20 and not '\t' or 0x7F;

    public static bool IsBareKey(int c) =>
        c is >= 'a' and <= 'z' or >= 'A' and <= 'Z' or >= '0' and <= '9' or '_' or '-';

    public static bool IsBlank(int c) => c is ' ' or '\t';

    public static bool IsDigit(int c) => c is >= '0' and <= '9';

    /// <summary>How a message names a control character.</summary>
    public static string NameControl(int c) =>
        c == '\r' ? "a carriage return without a line feed is not a line end" : $"the control character U+{c:X4} is not allowed";

    private static void Append(StringBuilder text, Rune rune)
    {
        Span<char> units = stackalloc char[2];
        text.Append(units[..rune.EncodeToUtf16(units)]);
    }
}
