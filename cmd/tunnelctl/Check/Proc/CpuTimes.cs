using System.Globalization;

namespace Tunnel.Ctl.Check.Proc;

/// <summary>The first line of /proc/stat: the ticks of all processors together.</summary>
/// <param name="Total">All ticks.</param>
/// <param name="Idle">Those in which there was nothing to do, or only something to wait for.</param>
/// <param name="SoftInterrupt">Those of the network's work, among others.</param>
/// <param name="Steal">Those that the host of this virtual machine gave to others.</param>
internal sealed record CpuTimes(long Total, long Idle, long SoftInterrupt, long Steal)
{
    private const int Columns = 8;

    /// <summary>Null when the text has no such line.</summary>
    public static CpuTimes? Parse(string text)
    {
        string[] words = text.Split('\n')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length <= Columns || words[0] != "cpu")
            return null;
        var ticks = new long[Columns];
        for (int i = 0; i < Columns; i++)
        {
            if (!long.TryParse(words[i + 1], NumberStyles.None, CultureInfo.InvariantCulture, out ticks[i]))
                return null;
        }

        return new CpuTimes(ticks.Sum(), ticks[3] + ticks[4], ticks[6], ticks[7]);
    }
}
