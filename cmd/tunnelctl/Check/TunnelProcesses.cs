using System.Globalization;

namespace Tunnel.Ctl.Check;

/// <summary>The tunnel's processes that run in this network namespace.</summary>
internal static class TunnelProcesses
{
    /// <returns>Process ids, as /proc names them.</returns>
    public static IEnumerable<string> Of(CheckContext context)
    {
        string? own = context.Files.LinkTarget("/proc/self/ns/net");
        return context.Files.List("/proc").Where(id => int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out _)
            && context.Files.Read($"/proc/{id}/comm").Text?.Trim() is "tunnel-server" or "tunnel-client"
            && context.Files.LinkTarget($"/proc/{id}/ns/net") == own);
    }
}
