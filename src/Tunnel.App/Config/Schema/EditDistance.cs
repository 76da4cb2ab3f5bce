namespace Tunnel.App.Config.Schema;

/// <summary>How many slips of the finger lie between two words.</summary>
internal static class EditDistance
{
    /// <summary>Insertions, deletions, replacements and swaps of neighbours; case does not count.</summary>
    public static int Between(string a, string b)
    {
        var table = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
                table[i, j] = Cell(table, a, b, i, j);
        }

        return table[a.Length, b.Length];
    }

    /// <summary>The candidate nearest to the word (the first of several), unless even that one is another word.</summary>
    public static T? Nearest<T>(string word, IEnumerable<T> candidates, Func<T, string> name)
        where T : class
    {
        const int LongestWord = 64;
        if (word.Length > LongestWord)
            return null;

        int limit = Math.Max(1, word.Length / 3);
        return candidates
            .Select(item => (Item: item, Distance: Between(word, name(item))))
            .Where(pair => pair.Distance <= limit)
            .OrderBy(pair => pair.Distance)
            .Select(pair => pair.Item)
            .FirstOrDefault();
    }

    private static int Cell(int[,] table, string a, string b, int i, int j)
    {
        if (i == 0 || j == 0)
            return i + j;

        int cost = Same(a[i - 1], b[j - 1]) ? 0 : 1;
        int best = Math.Min(Math.Min(table[i - 1, j], table[i, j - 1]) + 1, table[i - 1, j - 1] + cost);
        bool isSwap = i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1]);
        return isSwap ? Math.Min(best, table[i - 2, j - 2] + 1) : best;
    }

    private static bool Same(char x, char y) => char.ToLowerInvariant(x) == char.ToLowerInvariant(y);
}
