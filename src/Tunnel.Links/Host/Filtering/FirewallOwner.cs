using System.Globalization;

namespace Tunnel.Links.Host.Filtering;

/// <summary>
/// The process that rules belong to, as an empty chain's name tells it: rule comments need modules that small systems lack. A process id
/// alone is not enough, since ids come again (the start time) and containers number theirs anew (the process id namespace).
/// </summary>
internal sealed record FirewallOwner(int ProcessId, long StartTime, long PidNamespace)
{
    internal static FirewallOwner Self { get; } =
        new(Environment.ProcessId, StartTimeOf(Environment.ProcessId) ?? 0, NamespaceOf(Environment.ProcessId));

    /// <summary>True if no process here can own this. What another pid namespace owns cannot be judged from here.</summary>
    internal bool IsDead => PidNamespace == Self.PidNamespace && StartTimeOf(ProcessId) != StartTime;

    internal bool IsAliveElsewhere => PidNamespace == Self.PidNamespace && this != Self && StartTimeOf(ProcessId) == StartTime;

    /// <summary>Fits, with a prefix of three, the 28 characters that a chain's name may have in iptables.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{ProcessId:x}_{StartTime:x}_{PidNamespace:x}");

    internal static FirewallOwner? Parse(string text)
    {
        string[] parts = text.Split('_');
        return parts.Length == 3 && Hex(parts[0]) is { } id and <= int.MaxValue && Hex(parts[1]) is { } start && Hex(parts[2]) is { } space
            ? new FirewallOwner((int)id, start, space)
            : null;
    }

    /// <summary>Clock ticks from boot to the process's start: the 22nd field, counted behind the name, which may contain anything.</summary>
    private static long? StartTimeOf(int processId)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{processId}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return long.Parse(fields[19], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static long NamespaceOf(int processId)
    {
        // The link reads "pid:[4026531836]".
        string? target = new FileInfo($"/proc/{processId}/ns/pid").LinkTarget;
        string digits = string.Concat((target ?? string.Empty).Where(char.IsAsciiDigit));
        return long.TryParse(digits, CultureInfo.InvariantCulture, out long number) ? number : 0;
    }

    private static long? Hex(string text) =>
        long.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long value) ? value : null;
}
