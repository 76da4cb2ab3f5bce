using System.Globalization;

namespace Tunnel.Ctl.Check.Proc;

/// <summary>/proc/interrupts: how often each interrupt came, on each processor.</summary>
internal static class ProcInterrupts
{
    /// <summary>The numbered interrupts; lines that are none (NMI, LOC, garbage) are passed over.</summary>
    public static IReadOnlyList<InterruptLine> Parse(string text)
    {
        string[] lines = text.Split('\n');
        int processors = lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries).Count(w => w.StartsWith("CPU", StringComparison.Ordinal));
        return [.. lines.Skip(1).Select(line => ParseLine(line, processors)).OfType<InterruptLine>()];
    }

    private static InterruptLine? ParseLine(string line, int processors)
    {
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length <= processors || !words[0].EndsWith(':')
            || !int.TryParse(words[0].AsSpan(0, words[0].Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int number))
        {
            return null;
        }

        var counts = new long[processors];
        for (int i = 0; i < processors; i++)
        {
            if (!long.TryParse(words[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out counts[i]))
                return null;
        }

        return new InterruptLine(number, string.Join(' ', words[(processors + 1)..]), counts);
    }
}

/// <summary>One interrupt.</summary>
/// <param name="Number">Its number, as in /proc/irq.</param>
/// <param name="Action">The rest of its line: the controller, and whose it is.</param>
/// <param name="Counts">By processor, since boot.</param>
internal sealed record InterruptLine(int Number, string Action, long[] Counts);
