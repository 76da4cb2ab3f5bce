using Tunnel.Ctl.Check.Knobs;

namespace Tunnel.Ctl.Check.Topics;

/// <summary>Whether the next start of the host finds what is set now: of several files about one setting the last wins.</summary>
internal sealed class BootTopic : PromptTopic
{
    private const string Sysctl = "boot.sysctl";
    private const string WhySysctl = "a file that is read later wins over 90-tunnel.conf at the next start; one that is not read wins over nothing";
    private const string Traditional = "/etc/sysctl.conf";

    /// <summary>Where systemd runs this host: it reads the folders only. (Debian 12 has a link to the old file in one of them, 13 has none.)</summary>
    private const string Systemd = "/run/systemd/system";

    /// <summary>A file hides those of the same name in the folders behind.</summary>
    private static readonly string[] Folders = ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"];

    public override string Topic => "boot";

    public override string Title => "At the next start";

    public override IReadOnlyList<string> Names => [Sysctl];

    protected override IEnumerable<Finding> Look(CheckContext context)
    {
        if (!Folders.Append(Traditional).Any(context.Files.Exists))
            return [Finding.Unknown(Sysctl, "there is no /etc/sysctl.d here, nor /etc/sysctl.conf", WhySysctl)];
        bool readsOld = !context.Files.Exists(Systemd);
        Dictionary<string, (string Value, string Path)> last = SettingsOf(context, readsOld ? [.. InFolders(context), Traditional] : InFolders(context));
        string[] vain = readsOld ? [] : InVain(context, last);
        return [Judge(context, last, vain)];
    }

    private static Finding Judge(CheckContext context, Dictionary<string, (string Value, string Path)> last, string[] vain)
    {
        SysctlKnob[] told = [.. Known(context).Where(k => last.ContainsKey(k.Name))];
        SysctlKnob[] others = [.. told.Where(k => Now(context, k) != last[k.Name].Value)];
        string[] problems =
        [
            .. others.Select(k => $"{k.Name} is {Now(context, k)}, and {last[k.Name].Path} sets {last[k.Name].Value}"),
            .. vain.Select(n => $"{n} is set in {Traditional}, which is not read at the start here: put it into a file in /etc/sysctl.d"),
        ];
        string now = problems.Length == 0
            ? $"in files: {told.Length} of {SysctlKnobs.All.Count} settings, none with another value than it has"
            : string.Join('\n', problems);
        string? first = others.FirstOrDefault()?.Name ?? vain.FirstOrDefault();
        string command = first is null ? "" : $"grep -rn {first} {Traditional} {string.Join(' ', Folders.Where(context.Files.Exists))}";
        return Finding.Of(Sysctl, problems.Length == 0, now, "as it is now", WhySysctl, command);
    }

    /// <summary>What somebody put where it was read once, as guides say, and what is lost at the next start: nothing else sets it so.</summary>
    private static string[] InVain(CheckContext context, Dictionary<string, (string Value, string Path)> read)
    {
        Dictionary<string, (string Value, string Path)> old = SettingsOf(context, [Traditional]);
        return
        [
            .. Known(context).Where(k => old.TryGetValue(k.Name, out var set) && set.Value == Now(context, k)
                && !(read.TryGetValue(k.Name, out var again) && again.Value == set.Value)).Select(k => k.Name),
        ];
    }

    private static IEnumerable<SysctlKnob> Known(CheckContext context) => SysctlKnobs.All.Where(k => k.Read(context).Text is not null);

    private static string Now(CheckContext context, SysctlKnob knob) => Join(knob.Read(context).Words);

    private static Dictionary<string, (string Value, string Path)> SettingsOf(CheckContext context, IEnumerable<string> paths)
    {
        Dictionary<string, (string Value, string Path)> last = [];
        foreach (string path in paths)
        {
            foreach ((string name, string value) in SettingsIn(context.Files.Read(path).Text ?? ""))
                last[name] = (value, path);
        }

        return last;
    }

    /// <summary>By their names, whatever the folder.</summary>
    private static string[] InFolders(CheckContext context)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (string folder in Folders)
        {
            foreach (string name in context.Files.List(folder).Where(n => n.EndsWith(".conf", StringComparison.Ordinal)))
                files.TryAdd(name, $"{folder}/{name}");
        }

        return [.. files.Values];
    }

    /// <summary>"net/core/somaxconn=1" and "-net.core.somaxconn = 1" are about the same; lines with patterns are passed over.</summary>
    private static IEnumerable<(string Name, string Value)> SettingsIn(string text)
    {
        foreach (string line in text.Split('\n').Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] is not ('#' or ';')))
        {
            if (line.Split('=', 2) is [var name, var value])
                yield return (name.Trim().TrimStart('-').Replace('/', '.'), Join(new Reading(value, null).Words));
        }
    }

    private static string Join(string[] words) => string.Join(' ', words);
}
