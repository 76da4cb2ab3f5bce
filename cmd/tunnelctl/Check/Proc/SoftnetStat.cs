using System.Globalization;

namespace Tunnel.Ctl.Check.Proc;

/// <summary>/proc/net/softnet_stat: what each processor did with received packets.</summary>
/// <param name="Processor">Which one; where the kernel does not say, the line's number.</param>
/// <param name="Processed">Packets taken.</param>
/// <param name="Dropped">Packets that did not fit netdev_max_backlog.</param>
/// <param name="Squeezed">Rounds that ended, with work left, because netdev_budget or its time was used up.</param>
internal sealed record SoftnetStat(int Processor, long Processed, long Dropped, long Squeezed)
{
    private const int ProcessorColumn = 12;

    /// <summary>One entry a line; lines that are not hexadecimal numbers are passed over.</summary>
    public static IReadOnlyList<SoftnetStat> Parse(string text)
    {
        List<SoftnetStat> entries = [];
        foreach (string line in text.Split('\n'))
        {
            if (TryColumns(line, out long[] columns))
                entries.Add(new SoftnetStat(ProcessorOf(columns, entries.Count), columns[0], columns[1], columns[2]));
        }

        return entries;
    }

    // Before Linux 5.10 there is no such column; kernels that have it pad it with the same width.
    private static int ProcessorOf(long[] columns, int line) => columns.Length > ProcessorColumn ? (int)columns[ProcessorColumn] : line;

    private static bool TryColumns(string line, out long[] columns)
    {
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        columns = new long[words.Length];
        for (int i = 0; i < words.Length; i++)
        {
            if (!long.TryParse(words[i], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out columns[i]))
                return false;
        }

        return words.Length >= 3;
    }
}
