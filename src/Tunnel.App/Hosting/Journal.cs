using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Tunnel.App.Hosting;

/// <summary>systemd's journal as what stands behind standard error.</summary>
internal static class Journal
{
    /// <summary>
    /// Whether standard error is the journal's. JOURNAL_STREAM alone does not say so: it is inherited by processes whose output goes
    /// elsewhere, so the socket that it names (device:inode) is compared.
    /// </summary>
    public static bool IsStandardError() =>
        Names(Environment.GetEnvironmentVariable("JOURNAL_STREAM"), new FileInfo("/proc/self/fd/2").LinkTarget);

    /// <param name="stream">JOURNAL_STREAM: the socket's device and inode in decimal, with a colon between them; null if unset.</param>
    /// <param name="link">What the descriptor is, as the kernel shows it: socket:[inode]; null if it cannot be seen.</param>
    internal static bool Names(string? stream, string? link)
    {
        int colon = stream?.IndexOf(':') ?? -1;
        return colon > 0
            && ulong.TryParse(stream.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode)
            && link == string.Create(CultureInfo.InvariantCulture, $"socket:[{inode}]");
    }

    /// <summary>What a line of this level begins with: syslog's number of the priority.</summary>
    public static string Prefix(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "<7>",
        LogLevel.Information => "<6>",
        LogLevel.Warning => "<4>",
        LogLevel.Error => "<3>",
        _ => "<2>",
    };
}
