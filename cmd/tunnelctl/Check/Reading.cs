using System.Globalization;

namespace Tunnel.Ctl.Check;

/// <summary>What a file holds, or why that is not known. Exactly one of the two is there.</summary>
internal readonly record struct Reading(string? Text, string? Problem)
{
    private static readonly char[] Blanks = [' ', '\t', '\n', '\r'];

    /// <summary>The words of the text; none when there is none.</summary>
    public string[] Words => Text?.Split(Blanks, StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>The text as that many whole numbers.</summary>
    public bool TryNumbers(int count, out long[] numbers, out string problem)
    {
        numbers = new long[count];
        problem = Problem ?? "";
        if (Text is null)
            return false;
        string[] words = Words;
        problem = $"\"{Shorten(Text.Trim())}\" is not {(count == 1 ? "a whole number" : $"{count} whole numbers")}";
        if (words.Length != count)
            return false;
        for (int i = 0; i < count; i++)
        {
            if (!long.TryParse(words[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out numbers[i]))
                return false;
        }

        problem = "";
        return true;
    }

    public bool TryNumber(out long number, out string problem)
    {
        bool good = TryNumbers(1, out long[] numbers, out problem);
        number = numbers[0];
        return good;
    }

    private static string Shorten(string text) => text.Length <= 40 ? text : text[..40] + "...";
}
