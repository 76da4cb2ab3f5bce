using System.Globalization;

namespace Tunnel.Ctl.Check.Proc;

/// <summary>/proc/net/netstat and /proc/net/snmp: pairs of lines, names and then numbers.</summary>
internal static class NamedCounters
{
    /// <summary>The numbers by names such as TcpExt.ListenDrops; pairs that do not fit each other are passed over.</summary>
    public static IReadOnlyDictionary<string, long> Parse(string text)
    {
        var counters = new Dictionary<string, long>();
        string[] lines = text.Split('\n');
        for (int i = 0; i + 1 < lines.Length; i += 2)
        {
            string[] names = lines[i].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string[] values = lines[i + 1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (names.Length == 0 || names.Length != values.Length || names[0] != values[0] || !names[0].EndsWith(':'))
                continue;
            for (int k = 1; k < names.Length; k++)
            {
                if (long.TryParse(values[k], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
                    counters[$"{names[0][..^1]}.{names[k]}"] = value;
            }
        }

        return counters;
    }
}
