namespace Tunnel.Tests.Tidy;

/// <summary>C# text without what only looks like code.</summary>
internal static class CSharpText
{
    /// <summary>
    /// Comments and literals become blanks; what is left keeps its line. Code inside of an interpolated string counts as literal, and
    /// a literal in there as code: good enough to look for names.
    /// </summary>
    public static string CodeOnly(string text)
    {
        char[] code = text.ToCharArray();
        for (int at = 0; at < text.Length;)
        {
            int length = LengthOfBlank(text.AsSpan(at), at > 0 ? text[at - 1] : ' ');
            Blank(code.AsSpan(at, length));
            at += Math.Max(1, length);
        }

        return new string(code);
    }

    private static void Blank(Span<char> code)
    {
        foreach (ref char c in code)
        {
            if (c != '\n')
                c = ' ';
        }
    }

    private static int LengthOfBlank(ReadOnlySpan<char> rest, char before)
    {
        if (rest.StartsWith("//"))
            return UpTo(rest, "\n", 0, 0);
        if (rest.StartsWith("/*"))
            return UpTo(rest, "*/", 2, 2);
        if (rest[0] == '\'')
            return Escaped(rest, '\'');
        if (rest[0] != '"')
            return 0;
        int quotes = rest.IndexOfAnyExcept('"');
        quotes = quotes < 0 ? rest.Length : quotes;
        if (quotes >= 3)
            return UpTo(rest, rest[..quotes], quotes, quotes);
        return before == '@' ? Verbatim(rest) : Escaped(rest, '"');
    }

    private static int UpTo(ReadOnlySpan<char> rest, ReadOnlySpan<char> end, int from, int add)
    {
        int found = rest[from..].IndexOf(end);
        return found < 0 ? rest.Length : from + found + add;
    }

    private static int Escaped(ReadOnlySpan<char> rest, char quote)
    {
        for (int i = 1; i < rest.Length && rest[i] != '\n'; i++)
        {
            if (rest[i] == '\\')
                i++;
            else if (rest[i] == quote)
                return i + 1;
        }

        return 1;
    }

    private static int Verbatim(ReadOnlySpan<char> rest)
    {
        for (int i = 1; i < rest.Length; i++)
        {
            if (rest[i] != '"')
                continue;
            if (i + 1 == rest.Length || rest[i + 1] != '"')
                return i + 1;
            i++;
        }

        return rest.Length;
    }
}
