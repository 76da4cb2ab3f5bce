using System.Globalization;

namespace Tunnel.Ctl.Check.Proc;

/// <summary>A line of /proc/PID/limits.</summary>
/// <param name="Soft">What the process has, and may raise to the hard one.</param>
/// <param name="Hard">What only root raises; <see cref="long.MaxValue"/> for no limit.</param>
internal readonly record struct ProcLimit(long Soft, long Hard)
{
    /// <summary>The line of that name, such as "Max open files"; null when there is none.</summary>
    public static ProcLimit? Find(string? limits, string name)
    {
        string? line = limits?.Split('\n').FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal));
        string[] words = line?[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return words.Length >= 2 && Parse(words[0]) is { } soft && Parse(words[1]) is { } hard ? new ProcLimit(soft, hard) : null;
    }

    /// <summary>A limit as the kernel or a unit writes it; null when it is none.</summary>
    public static long? Parse(string text) => text is "unlimited" or "infinity" ? long.MaxValue
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number
        : null;

    public static string Show(long limit) => limit == long.MaxValue ? "unlimited" : $"{limit}";

    public override string ToString() => $"soft {Show(Soft)}, hard {Show(Hard)}";
}
