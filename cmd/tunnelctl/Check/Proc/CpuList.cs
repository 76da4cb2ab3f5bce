using System.Globalization;

namespace Tunnel.Ctl.Check.Proc;

/// <summary>Sets of processors, as the kernel writes them: a list "0-3,8" (lists of ports, too), or a mask "00000000,0000010f".</summary>
internal static class CpuList
{
    private const int MostProcessors = 8192;

    /// <summary>Null when the text is no list, or has a number of <paramref name="most"/> or more.</summary>
    public static IReadOnlyList<int>? ParseList(string text, int most = MostProcessors)
    {
        var set = new SortedSet<int>();
        foreach (string part in text.Trim().Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] ends = part.Split('-');
            if (ends.Length > 2 || !TryNumber(ends[0], out int first) || !TryNumber(ends[^1], out int last) || last < first || last >= most)
                return null;
            for (int i = first; i <= last; i++)
                set.Add(i);
        }

        return [.. set];
    }

    /// <summary>Null when the text is no mask.</summary>
    public static IReadOnlyList<int>? ParseMask(string text)
    {
        string digits = text.Trim().Replace(",", "");
        var set = new List<int>();
        for (int i = 0; i < digits.Length; i++)
        {
            if (!int.TryParse(digits.AsSpan(digits.Length - 1 - i, 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int four))
                return null;
            set.AddRange(Enumerable.Range(0, 4).Where(bit => (four >> bit & 1) != 0).Select(bit => 4 * i + bit));
        }

        return digits.Length == 0 ? null : set;
    }

    /// <summary>In groups of 32 processors, the highest first.</summary>
    public static string FormatMask(IEnumerable<int> processors)
    {
        var groups = new uint[1];
        foreach (int processor in processors)
        {
            if (processor / 32 >= groups.Length)
                Array.Resize(ref groups, processor / 32 + 1);
            groups[processor / 32] |= 1u << processor % 32;
        }

        return string.Join(',', groups.Reverse().Select((g, i) => i == 0 ? $"{g:x}" : $"{g:x8}"));
    }

    private static bool TryNumber(string text, out int number) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
