using System.Globalization;
using Tunnel.Ctl.Check;

namespace Tunnel.Ctl.Bench;

/// <summary>
/// How far this host's ports are used up once connections were made and closed. Whoever closes first keeps the port in TIME_WAIT for a minute, and
/// towards one address and port there are only so many.
/// </summary>
/// <param name="TimeWait">Sockets in TIME_WAIT.</param>
/// <param name="Ports">That the kernel gives to connections (ip_local_port_range).</param>
/// <param name="Reuse">tcp_tw_reuse: 1 takes a waiting port again after a second, 2 on loopback only, 0 never.</param>
internal sealed record PortUse(long TimeWait, int Ports, int Reuse)
{
    /// <summary>
    /// The kernel looks at one half of the ports first (every other one), and at each that is taken: from there on most of a connect() is that search.
    /// </summary>
    private const double Scarce = 0.45;

    /// <summary>Null where the kernel does not tell.</summary>
    public static PortUse? Read(KernelFiles files)
    {
        string[] words = Words(files, "/proc/net/sockstat");
        int at = Array.IndexOf(words, "tw") + 1;
        int[] range = [.. Words(files, "/proc/sys/net/ipv4/ip_local_port_range").Select(Number)];
        int[] reuse = [.. Words(files, "/proc/sys/net/ipv4/tcp_tw_reuse").Select(Number)];
        return at == 0 || at == words.Length || range.Length != 2 || reuse.Length != 1 ? null : new PortUse(Number(words[at]), range[1] - range[0] + 1, reuse[0]);
    }

    /// <returns>What a user should know of figures that were measured so; empty for nothing.</returns>
    /// <param name="isLoopback">The connections stay on this host.</param>
    public string Warning(bool isLoopback) =>
        TimeWait < Scarce * Ports || Reuse == 1 || (Reuse == 2 && isLoopback)
            ? ""
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{TimeWait} of this host's {Ports} ports are in TIME_WAIT: the kernel's search for a free one is in these times (sysctl -w net.ipv4.tcp_tw_reuse=1)");

    private static string[] Words(KernelFiles files, string path) =>
        (files.Read(path).Text ?? "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    private static int Number(string text) => int.TryParse(text, CultureInfo.InvariantCulture, out int number) ? number : 0;
}
