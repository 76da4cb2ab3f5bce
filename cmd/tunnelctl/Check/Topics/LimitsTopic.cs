using Tunnel.Ctl.Check.Knobs;
using Tunnel.Ctl.Check.Proc;

namespace Tunnel.Ctl.Check.Topics;

/// <summary>How many files and threads processes may have.</summary>
internal sealed class LimitsTopic : PromptTopic
{
    private const string Process = "limits.process";
    private const string Threads = "limits.threads";
    private const string Unit = "limits.unit";
    private const string Shell = "self";
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

    /// <summary>Of the tunnel that runs, if one does; else of this shell, which decides nothing where a unit does.</summary>
    private static Finding LookAtProcess(CheckContext context)
    {
        (string whose, string name) = Whose(context);
        Reading told = context.Files.Read($"/proc/{whose}/limits");
        if (ProcLimit.Find(told.Text, "Max open files") is not { } limit)
            return Finding.Unknown(Process, told.Problem ?? $"/proc/{whose}/limits has no such line", WhyProcess);
        string now = $"{limit} (of {name})";
        long wanted = WantedFiles(context);
        bool hasUnit = Units(context) is { Length: > 0 } units && units.All(u => u.Limit >= wanted);
        if (whose == Shell && hasUnit)
            return Finding.Good(Process, now, "as it is: the unit has its own", WhyProcess);
        // The asterisk means everybody but root.
        string command = IsService(context, whose, out string unit)
            ? $"{(hasUnit ? "" : $"{SetLimit(unit, wanted)} && ")}systemctl restart {unit}"
            : $"printf '%s - nofile {Math.Max(wanted, 1_000_000)}\\n' '*' root >> /etc/security/limits.d/90-tunnel.conf";
        return Finding.Of(Process, limit.Hard >= wanted, now, $"hard {wanted} or more", WhyProcess, command);
    }

    /// <summary>Whose limits count, as /proc calls it and as people do: of several tunnels the one that may have the fewest files.</summary>
    private static (string Id, string Name) Whose(CheckContext context)
    {
        string[] sides = Sides(context);
        var running = TunnelProcesses.Of(context).Select(id => (Id: id, Name: context.Files.Read($"/proc/{id}/comm").Text?.Trim()))
            .Where(p => sides.Contains(p.Name)).ToArray();
        if (running.Length == 0)
            return (Shell, "this shell");
        (string id, string? name) = running.MinBy(p => ProcLimit.Find(context.Files.Read($"/proc/{p.Id}/limits").Text, "Max open files")?.Hard ?? long.MaxValue);
        return (id, $"{name}, process {id}");
    }

    /// <summary>What the file's end gets: as it runs, else as its unit says, else as this shell; null when none of them tells.</summary>
    internal static (long? Hard, string Whose) HardLimit(CheckContext context)
    {
        (string whose, string name) = Whose(context);
        return whose == Shell && Units(context) is [{ Limit: { } unit } first, ..]
            ? (unit, $"of the unit {first.Name}")
            : (ProcLimit.Find(context.Files.Read($"/proc/{whose}/limits").Text, "Max open files")?.Hard, $"of {name}");
    }

    private static bool IsService(CheckContext context, string id, out string unit)
    {
        unit = context.Files.Read($"/proc/{id}/comm").Text?.Trim() ?? "";
        return id != Shell && context.Files.Read($"/proc/{id}/cgroup").Text?.Contains($"/{unit}.service", StringComparison.Ordinal) is true;
    }

    private static Finding LookAtThreads(CheckContext context)
    {
        Reading told = context.Files.Read($"/proc/{Shell}/limits");
        if (ProcLimit.Find(told.Text, "Max processes") is not { } limit)
            return Finding.Unknown(Threads, told.Problem ?? $"/proc/{Shell}/limits has no such line", WhyThreads);
        return Finding.Of(
            Threads, limit.Soft >= 4096, $"{ProcLimit.Show(limit.Soft)} for this user", "4096 or more", WhyThreads,
            "printf '%s - nproc 32768\\n' '*' root >> /etc/security/limits.d/90-tunnel.conf");
    }

    /// <summary>Of the units that are there; the last LimitNOFILE wins, drop-ins after the unit.</summary>
    private static Finding LookAtUnit(CheckContext context)
    {
        (string Name, long? Limit)[] units = Units(context);
        if (units.Length == 0)
            return Finding.Unknown(Unit, $"there is no unit {string.Join(" or ", Sides(context))} here", WhyUnit);
        long wanted = WantedFiles(context);
        string now = string.Join(", ", units.Select(u => $"{u.Name}: {(u.Limit is { } n ? ProcLimit.Show(n) : "not set")}"));
        string first = units.FirstOrDefault(u => !(u.Limit >= wanted)).Name ?? units[0].Name;
        return Finding.Of(Unit, units.All(u => u.Limit >= wanted), now, $"LimitNOFILE={wanted} or more", WhyUnit, SetLimit(first, wanted));
    }

    private static string SetLimit(string unit, long wanted) =>
        $"mkdir -p /etc/systemd/system/{unit}.service.d && printf '[Service]\\nLimitNOFILE={Math.Max(524_288, wanted)}\\n' "
        + $"> /etc/systemd/system/{unit}.service.d/90-files.conf && systemctl daemon-reload";

    /// <summary>The ends that are meant: that of the file, else both.</summary>
    private static string[] Sides(CheckContext context) => context.File is null ? ["tunnel-server", "tunnel-client"]
        : context.File.Server is null ? ["tunnel-client"] : ["tunnel-server"];

    private static (string Name, long? Limit)[] Units(CheckContext context) =>
        [.. Sides(context).Select(s => (Name: s, Unit: UnitLimit(context, s["tunnel-".Length..]))).Where(u => u.Unit.IsThere).Select(u => (u.Name, u.Unit.Limit))];

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
        return last is null ? null : ProcLimit.Parse(last.Split(':')[^1]);
    }
}
