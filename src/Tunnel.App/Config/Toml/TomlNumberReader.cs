using System.Globalization;

namespace Tunnel.App.Config.Toml;

/// <summary>Integers and floats from one word of the text.</summary>
internal static class TomlNumberReader
{
    private const string NotAValue = "this is not a value; a string needs quotes";
    private const string OutOfRange = "this integer does not fit in 64 bits";

    /// <summary>The number; or null and what is wrong.</summary>
    public static TomlValue? Read(TomlPosition position, string token, out string? problem)
    {
        bool isSigned = token[0] is '+' or '-';
        string digits = isSigned ? token[1..] : token;
        problem = null;
        if (digits is "inf" or "nan")
            return new TomlFloat(position, ReadSpecial(token));
        if (digits.Length == 0 || !TomlText.IsDigit(digits[0]))
            problem = digits.StartsWith('.') ? "a float needs a digit before its point" : NotAValue;
        else if (digits is ['0', 'x' or 'o' or 'b', ..])
            return ReadPrefixed(position, digits, isSigned, out problem);
        else if (HasLeadingZero(digits))
            problem = "a number cannot begin with a zero";
        else
            return digits.AsSpan().IndexOfAny('.', 'e', 'E') < 0
                ? ReadDecimal(position, token, digits, out problem)
                : ReadFloat(position, token, digits, out problem);
        return null;
    }

    private static double ReadSpecial(string token) => token switch
    {
        "-inf" => double.NegativeInfinity,
        "inf" or "+inf" => double.PositiveInfinity,
        _ => double.NaN,
    };

    private static bool HasLeadingZero(string digits) => digits is ['0', (>= '0' and <= '9') or '_', ..];

    private static TomlInteger? ReadDecimal(TomlPosition position, string token, string digits, out string? problem)
    {
        problem = CheckDigits(digits, 10);
        if (problem is not null)
            return null;
        if (long.TryParse(token.Replace("_", ""), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
            return new TomlInteger(position, value);

        problem = OutOfRange;
        return null;
    }

    private static TomlInteger? ReadPrefixed(TomlPosition position, string digits, bool isSigned, out string? problem)
    {
        int radix = digits[1] switch { 'x' => 16, 'o' => 8, _ => 2 };
        problem = isSigned ? "a number with a prefix (0x, 0o, 0b) has no sign" : CheckDigits(digits[2..], radix);
        if (problem is not null)
            return null;

        Int128 value = 0;
        foreach (char c in digits.AsSpan(2))
        {
            if (c != '_')
                value = value * radix + Convert.ToInt32(c.ToString(), 16);
            if (value <= long.MaxValue)
                continue;

            problem = OutOfRange;
            return null;
        }

        return new TomlInteger(position, (long)value);
    }

    private static TomlFloat? ReadFloat(TomlPosition position, string token, string digits, out string? problem)
    {
        int e = digits.AsSpan().IndexOfAny('e', 'E');
        string mantissa = e < 0 ? digits : digits[..e];
        string[] parts = mantissa.Split('.');
        problem = parts.Length > 2 ? "a float has one point" : CheckDigits(parts[0], 10);
        if (parts.Length == 2)
            problem ??= CheckDigits(parts[1], 10);
        if (e >= 0)
            problem ??= CheckDigits(digits[(e + 1)..] is ['+' or '-', .. var exponent] ? exponent : digits[(e + 1)..], 10);
        return problem is null ? new TomlFloat(position, double.Parse(token.Replace("_", ""), CultureInfo.InvariantCulture)) : null;
    }

    /// <summary>Null if these are digits, and every underscore stands between two of them.</summary>
    private static string? CheckDigits(string digits, int radix)
    {
        if (digits.Length == 0)
            return "a digit is missing in this number";

        bool afterDigit = false;
        foreach (char c in digits)
        {
            if (c == '_' ? !afterDigit : !IsDigit(c, radix))
                return c == '_' ? "an underscore must stand between two digits" : "this number has a character that is not a digit";

            afterDigit = c != '_';
        }

        return afterDigit ? null : "an underscore must stand between two digits";
    }

    private static bool IsDigit(char c, int radix) =>
        radix == 16 ? char.IsAsciiHexDigit(c) : c >= '0' && c < '0' + radix;
}
