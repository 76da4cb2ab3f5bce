using System.Text.RegularExpressions;
using Tunnel.Ctl.Check.Knobs;
using Tunnel.Ctl.Check.Topics;

namespace Tunnel.Ctl.Check.Setting;

/// <summary>
/// The files that set everything again at the next start: for sysctl, for the module that a setting must find loaded, for udev (what belongs
/// to the card), for the units' limit of open files. A file of the same name that somebody else wrote is left alone.
/// </summary>
internal static partial class DropIns
{
    private const string Header = "# Written by tunnelctl check --persist, which may write it again.";
    private const string SysctlPath = "/etc/sysctl.d/90-tunnel.conf";
    private const string ModulesPath = "/etc/modules-load.d/90-tunnel.conf";
    private const string UdevPath = "/etc/udev/rules.d/90-tunnel.rules";
    private const string UnitPath = "/etc/systemd/system/tunnel-{0}.service.d/90-tunnel.conf";
    private const int UnitFiles = 524_288;

    /// <summary>Writes them from what is set now; of all knobs, or of one.</summary>
    /// <param name="context">The host.</param>
    /// <param name="only">A knob; null for all.</param>
    /// <param name="failed">Knobs that could not be set, which a file would not set either.</param>
    public static (IReadOnlyList<WrittenFile> Written, IReadOnlyList<string> Problems) Write(CheckContext context, string? only, IReadOnlyCollection<string> failed)
    {
        List<WrittenFile> written = [];
        List<string> problems = [];
        foreach ((string path, IReadOnlyList<string> lines) in Contents(context, only, failed))
        {
            if (lines.Count == 0)
                continue;
            string? before = context.Files.Read(path).Text;
            if (before is not null && !before.StartsWith(Header, StringComparison.Ordinal))
            {
                problems.Add($"{path} was written by somebody else, so it is left as it is");
                continue;
            }

            string after = Merge(before, lines);
            if (after == before)
                continue;
            if (context.Files.Replace(path, after) is { } problem)
                problems.Add(problem);
            else
                written.Add(new WrittenFile(path, before, after));
        }

        return (written, problems);
    }

    /// <summary>Puts back what was there, unless somebody has changed it since; says what was done, and what could not be.</summary>
    public static (IReadOnlyList<WrittenFile> Undone, IReadOnlyList<string> Problems) Revert(CheckContext context, IReadOnlyList<WrittenFile> files)
    {
        List<WrittenFile> undone = [];
        List<string> problems = [];
        foreach (WrittenFile file in files.Reverse())
        {
            if (!IsOurs(file.Path))
                problems.Add($"{file.Path} is no file of this program's");
            // As it was already: by a --revert before this one.
            else if (context.Files.Read(file.Path).Text is var now && now == file.Before)
                undone.Add(file);
            else if (now != file.After)
                problems.Add($"{file.Path} was changed by somebody since: left as it is");
            else if (context.Files.Replace(file.Path, file.Before) is { } problem)
                problems.Add(problem);
            else
                undone.Add(file);
        }

        return (undone, problems);
    }

    private static IEnumerable<(string Path, IReadOnlyList<string> Lines)> Contents(CheckContext context, string? only, IReadOnlyCollection<string> failed)
    {
        (Knob Knob, string Value)[] set = [.. Settled(context, only).Where(s => !failed.Contains(s.Knob.Name))];
        yield return (SysctlPath, [.. set.Where(s => s.Knob is SysctlKnob or ReservedPortsKnob).Select(s => $"{s.Knob.Name} = {s.Value}")]);
        // sysctl's files are read before anything loads this module, and what has no file by then is passed over. bbr and fq load theirs.
        if (set.Any(s => s.Knob == SysctlKnobs.ConntrackMax))
            yield return (ModulesPath, ["nf_conntrack"]);
        if (context.Interface is { } name && PlainName().IsMatch(name))
            yield return (UdevPath, [.. set.Where(s => s.Knob is not (SysctlKnob or ReservedPortsKnob)).Select(s => Rule(context, s.Knob, s.Value))]);
        foreach (string side in only is null ? ["server", "client"] : Array.Empty<string>())
        {
            if (LimitsTopic.UnitLimit(context, side) is { IsThere: true } unit && !(unit.Limit >= LimitsTopic.WantedFiles(context)))
            {
                long files = Math.Max(UnitFiles, LimitsTopic.WantedFiles(context));
                yield return (string.Format(System.Globalization.CultureInfo.InvariantCulture, UnitPath, side), ["[Service]", $"LimitNOFILE={files}"]);
            }
        }
    }

    /// <summary>The knobs that there is a wish for and that are as wished now.</summary>
    private static IEnumerable<(Knob Knob, string Value)> Settled(CheckContext context, string? only)
    {
        foreach (Knob knob in KnobCatalog.All.Where(k => only is null || k == KnobCatalog.Find(only)))
        {
            Reading now = knob.Read(context);
            if (knob.Judge(context, now) is { Problem: null, IsMet: true, Matters: true })
                yield return (knob, string.Join(' ', now.Words));
        }
    }

    /// <summary>A card is added under the kernel's name (eth0), and moved when it gets the one that it is known by (enp0s5).</summary>
    private static string Rule(CheckContext context, Knob knob, string value)
    {
        string command = knob.Command(context, value);
        string run = command.StartsWith("ethtool ", StringComparison.Ordinal) ? $"/usr/sbin/{command}" : $"/bin/sh -c '{command}'";
        return $"ACTION==\"add|move\", SUBSYSTEM==\"net\", KERNEL==\"{context.Interface}\", RUN+=\"{run}\"";
    }

    /// <summary>New lines in the place of older ones about the same thing; the others stay.</summary>
    private static string Merge(string? before, IReadOnlyList<string> lines)
    {
        HashSet<string> about = [.. lines.Select(About)];
        IEnumerable<string> kept = (before ?? "").Split('\n').Where(l => l.Length > 0 && l != Header && !about.Contains(About(l)));
        return string.Join('\n', [Header, .. kept, .. lines]) + "\n";
    }

    /// <summary>The key of a setting; of a udev rule everything but the values, and but what versions before wrote for the action.</summary>
    private static string About(string line) => line.StartsWith("ACTION", StringComparison.Ordinal)
        ? Numbers().Replace(Value().Replace(line, ""), "").Replace("\"add\"", "\"add|move\"", StringComparison.Ordinal)
        : line.Split('=')[0].Trim();

    private static bool IsOurs(string path) => path is SysctlPath or ModulesPath or UdevPath || UnitFile().IsMatch(path);

    [GeneratedRegex(@"^[A-Za-z0-9_.:@-]+$")]
    private static partial Regex PlainName();

    [GeneratedRegex(@"echo \S+ >")]
    private static partial Regex Value();

    [GeneratedRegex(@"\b(\d+|on|off)\b")]
    private static partial Regex Numbers();

    [GeneratedRegex(@"^/etc/systemd/system/tunnel-(server|client)\.service\.d/90-tunnel\.conf$")]
    private static partial Regex UnitFile();
}
