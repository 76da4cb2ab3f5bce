using System.Globalization;
using Tunnel.Ctl.Check.Knobs;

namespace Tunnel.Ctl.Check.Topics;

/// <summary>How many files and threads processes may have.</summary>
internal sealed class LimitsTopic : PromptTopic
{
    private const string Process = "limits.process";
    private const string Threads = "limits.threads";
    private const string Unit = "limits.unit";
    private const string WhyProcess = "a file for each connection; the tunnel raises the soft limit to the hard one by itself";
    private const string WhyThreads = "the runtime's pool grows with blocked work";
    private const string WhyUnit = "the limit of the service, whatever a shell has";

    private static readonly string[] UnitFolders = ["/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"];

    public override string Topic => "limits";

    public override string Title => "Files and threads";

    public override IReadOnlyList<string> Names => [Process, Threads, .. SysctlKnobs.Files.Select(k => k.Name), Unit];

    protected override IEnumerable<Finding> Look(CheckContext context) =>
        [LookAtProcess(context), LookAtThreads(context), .. SysctlKnobs.Files.Select(k => k.Look(context)), LookAtUnit(context)];

    /// <summary>The files that a profile wants a process to be allowed; with a file, what its caps need.</summary>
    internal static long WantedFiles(CheckContext context)
    {
        long caps = context.File?.Server?.Transport.Kcp.MaxStreamsTotal ?? context.File?.Client?.Listeners.MaxConnections ?? 0;
        long least = context.Profile == TuningProfile.Small ? 4096 : 100_000;
        return caps == 0 ? least : Math.Max(caps + FileTopic.OtherDescriptors, context.Profile == TuningProfile.Small ? 0 : least);
    }

    private static Finding LookAtProcess(CheckContext context)
    {
        if (ReadLimit(context, "Max open files") is not { } limit)
            return Finding.Unknown(Process, context.Files.Read("/proc/self/limits").Problem ?? "/proc/self/limits has no such line", WhyProcess);
        long wanted = WantedFiles(context);
        string now = $"soft {Show(limit.Soft)}, hard {Show(limit.Hard)} (of this shell)";
        // The asterisk means everybody but root.
        string command = $"printf '%s - nofile {Math.Max(wanted, 1_000_000)}\\n' '*' root >> /etc/security/limits.d/90-tunnel.conf";
        return Finding.Of(Process, limit.Hard >= wanted, now, $"hard {wanted} or more", WhyProcess, command);
    }

    private static Finding LookAtThreads(CheckContext context)
    {
        if (ReadLimit(context, "Max processes") is not { } limit)
            return Finding.Unknown(Threads, context.Files.Read("/proc/self/limits").Problem ?? "/proc/self/limits has no such line", WhyThreads);
        return Finding.Of(
            Threads, limit.Soft >= 4096, $"{Show(limit.Soft)} for this user", "4096 or more", WhyThreads, "printf '%s - nproc 32768\\n' '*' root >> /etc/security/limits.d/90-tunnel.conf");
    }

    /// <summary>Of the units that are there; the last LimitNOFILE wins, drop-ins after the unit.</summary>
    private static Finding LookAtUnit(CheckContext context)
    {
        string[] sides = context.File is null ? ["server", "client"] : context.File.Server is null ? ["client"] : ["server"];
        var limits = sides.Select(side => (Name: $"tunnel-{side}", Unit: UnitLimit(context, side))).Where(u => u.Unit.IsThere).ToArray();
        if (limits.Length == 0)
            return Finding.Unknown(Unit, $"there is no unit {string.Join(" or ", sides.Select(s => $"tunnel-{s}"))} here", WhyUnit);
        long wanted = WantedFiles(context);
        bool met = limits.All(l => l.Unit.Limit >= wanted);
        string now = string.Join(", ", limits.Select(l => $"{l.Name}: {(l.Unit.Limit is { } n ? Show(n) : "not set")}"));
        string first = limits.FirstOrDefault(l => !(l.Unit.Limit >= wanted)).Name ?? limits[0].Name;
        string command = $"mkdir -p /etc/systemd/system/{first}.service.d && printf '[Service]\\nLimitNOFILE=524288\\n' > /etc/systemd/system/{first}.service.d/90-files.conf && systemctl daemon-reload";
        return Finding.Of(Unit, met, now, $"LimitNOFILE={wanted} or more", WhyUnit, command);
    }

    /// <summary>Whether there is a unit for that side, and its LimitNOFILE; null when it sets none.</summary>
    internal static (bool IsThere, long? Limit) UnitLimit(CheckContext context, string side) =>
        ReadUnit(context, $"tunnel-{side}.service") is { } text ? (true, LastLimit(text)) : (false, null);

    /// <summary>As whom the unit for that side runs with that file; null when there is no such unit, or it says nothing.</summary>
    internal static string? UnitUser(CheckContext context, string side, string file)
    {
        string[] lines = ReadUnit(context, $"tunnel-{side}.service")?.Split('\n') ?? [];
        bool isItsFile = lines.Any(l => l.StartsWith("ExecStart=", StringComparison.Ordinal) && l.Split(' ').Contains(Path.GetFullPath(file)));
        return isItsFile ? lines.LastOrDefault(l => l.StartsWith("User=", StringComparison.Ordinal))?["User=".Length..].Trim() : null;
    }

    private static string? ReadUnit(CheckContext context, string unit)
    {
        string? text = UnitFolders.Select(f => context.Files.Read($"{f}/{unit}").Text).FirstOrDefault(t => t is not null);
        if (text is null)
            return null;
        // The least of the folders first, so that what overrides comes last.
        foreach (string folder in UnitFolders.Reverse())
        {
            foreach (string dropIn in context.Files.List($"{folder}/{unit}.d").Where(n => n.EndsWith(".conf", StringComparison.Ordinal)))
                text += "\n" + context.Files.Read($"{folder}/{unit}.d/{dropIn}").Text;
        }

        return text;
    }

    private static long? LastLimit(string text)
    {
        string? last = text.Split('\n').LastOrDefault(l => l.StartsWith("LimitNOFILE=", StringComparison.Ordinal))?["LimitNOFILE=".Length..].Trim();
        return last is null ? null : ParseLimit(last.Split(':')[^1]);
    }

    private static (long Soft, long Hard)? ReadLimit(CheckContext context, string name)
    {
        string? line = context.Files.Read("/proc/self/limits").Text?.Split('\n').FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal));
        string[] words = line?[name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return words.Length >= 2 && ParseLimit(words[0]) is { } soft && ParseLimit(words[1]) is { } hard ? (soft, hard) : null;
    }

    private static long? ParseLimit(string text) => text is "unlimited" or "infinity" ? long.MaxValue
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number
        : null;

    private static string Show(long limit) => limit == long.MaxValue ? "unlimited" : $"{limit}";
}
