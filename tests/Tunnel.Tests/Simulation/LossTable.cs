using System.Globalization;
using System.Text;
using Tunnel.Protocol.Kcp;

namespace Tunnel.Tests.Simulation;

/// <summary>A table of figures for each of KCP's modes, by loss (a column each) and delay (a row each).</summary>
internal static class LossTable
{
    public static readonly (string Name, KcpOptions Options) Fast = (
        "fast (nodelay 0, interval 30, resend 2, wdelay)",
        new() { NoDelay = false, Interval = 30, WriteDelay = true, AckNoDelay = false });

    public static readonly (string Name, KcpOptions Options) Fast3 = (
        "fast3 (nodelay 1, interval 10, resend 2, acknodelay)",
        new() { NoDelay = true, Interval = 10 });

    /// <param name="modes">With the names that stand above their tables.</param>
    /// <param name="delays">Milliseconds, one way.</param>
    /// <param name="losses">Shares, each way.</param>
    /// <param name="width">Characters of a column.</param>
    /// <param name="cell">What to write for a mode, a delay and a loss.</param>
    public static string Write(
        IEnumerable<(string Name, KcpOptions Options)> modes, int[] delays, double[] losses, int width, Func<KcpOptions, int, double, string> cell)
    {
        var text = new StringBuilder();
        foreach ((string name, KcpOptions options) in modes)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n{name}\ndelay ms, one way");
            foreach (double loss in losses)
                text.Append(string.Create(CultureInfo.InvariantCulture, $"loss {loss * 100:0}%").PadLeft(width));
            text.Append('\n');
            foreach (int delay in delays)
            {
                text.Append(CultureInfo.InvariantCulture, $"{delay,17}");
                foreach (double loss in losses)
                    text.Append(cell(options, delay, loss).PadLeft(width));
                text.Append('\n');
            }
        }

        return text.ToString();
    }
}
