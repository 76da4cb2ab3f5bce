using System.Globalization;
using Tunnel.Links.Native;

namespace Tunnel.Links.Host;

/// <summary>What this process may do, from the kernel's own account of it.</summary>
/// <param name="HasNetRaw">It may capture and inject (CAP_NET_RAW).</param>
/// <param name="HasNetAdmin">It may change the firewall and exceed buffer limits (CAP_NET_ADMIN).</param>
public readonly record struct Privilege(bool HasNetRaw, bool HasNetAdmin)
{
    private const int NetAdminBit = 12;
    private const int NetRawBit = 13;

    public static Privilege Current()
    {
        try
        {
            return Parse(File.ReadAllText("/proc/self/status"));
        }
        catch (IOException)
        {
            return default;
        }
    }

    /// <summary>
    /// Lets the process open as many files as the system allows it to: each tunnelled connection is one. Returns the limit before and
    /// after; they are equal when there was nothing to raise.
    /// </summary>
    public static unsafe (ulong Before, ulong After) RaiseOpenFileLimit()
    {
        ulong* softThenHard = stackalloc ulong[2];
        if (Libc.GetResourceLimit(Linux.RLIMIT_NOFILE, softThenHard) != 0)
            return (0, 0);
        ulong before = softThenHard[0];
        softThenHard[0] = softThenHard[1];
        bool raised = before != softThenHard[1] && Libc.SetResourceLimit(Linux.RLIMIT_NOFILE, softThenHard) == 0;
        return (before, raised ? softThenHard[1] : before);
    }

    /// <summary>From the text of a process's /proc/PID/status; nothing where that does not tell.</summary>
    public static Privilege Parse(string status)
    {
        const string key = "CapEff:";
        foreach (ReadOnlySpan<char> line in status.AsSpan().EnumerateLines())
        {
            if (line.StartsWith(key, StringComparison.Ordinal)
                && ulong.TryParse(line[key.Length..].Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong mask))
            {
                return new Privilege((mask >> NetRawBit & 1) != 0, (mask >> NetAdminBit & 1) != 0);
            }
        }

        return default;
    }
}
