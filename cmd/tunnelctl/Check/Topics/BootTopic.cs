using Tunnel.Ctl.Check.Knobs;

namespace Tunnel.Ctl.Check.Topics;

/// <summary>Whether the next start of the host finds what is set now: of several files about one setting the last wins.</summary>
internal sealed class BootTopic : PromptTopic
{
    private const string Sysctl = "boot.sysctl";
    private const string WhySysctl = "a file that is read later, such as /etc/sysctl.conf, wins over 90-tunnel.conf at the next start";
    private const string Traditional = "/etc/sysctl.conf";

    /// <summary>A file hides those of the same name in the folders behind.</summary>
    private static readonly string[] Folders = ["/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d", "/lib/sysctl.d"];

    public override string Topic => "boot";

    public override string Title => "At the next start";

    public override IReadOnlyList<string> Names => [Sysctl];

    protected override IEnumerable<Finding> Look(CheckContext context)
    {
        if (!Folders.Append(Traditional).Any(context.Files.Exists))
            return [Finding.Unknown(Sysctl, "there is no /etc/sysctl.d here, nor /etc/sysctl.conf", WhySysctl)];
        Dictionary<string, (string Value, string Path)> last = [];
        foreach (string path in InOrder(context))
        {
            foreach ((string name, string value) in SettingsIn(context.Files.Read(path).Text ?? ""))
                last[name] = (value, path);
        }

        return [Judge(context, last)];
    }

    private static Finding Judge(CheckContext context, Dictionary<string, (string Value, string Path)> last)
    {
        SysctlKnob[] told = [.. SysctlKnobs.All.Where(k => last.ContainsKey(k.Name) && k.Read(context).Text is not null)];
        SysctlKnob[] others = [.. told.Where(k => Join(k.Read(context).Words) != last[k.Name].Value)];
        string now = others.Length == 0
            ? $"in files: {told.Length} of {SysctlKnobs.All.Count} settings, none with another value than it has"
            : string.Join('\n', others.Select(k => $"{k.Name} is {Join(k.Read(context).Words)}, and {last[k.Name].Path} sets {last[k.Name].Value}"));
        string command = others.Length == 0 ? "" : $"grep -rn {others[0].Name} /etc/sysctl.conf {string.Join(' ', Folders.Where(context.Files.Exists))}";
        return Finding.Of(Sysctl, others.Length == 0, now, "as it is now", WhySysctl, command);
    }

    /// <summary>By their names, whatever the folder; last the file that was there before the folders.</summary>
    private static IEnumerable<string> InOrder(CheckContext context)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (string folder in Folders)
        {
            foreach (string name in context.Files.List(folder).Where(n => n.EndsWith(".conf", StringComparison.Ordinal)))
                files.TryAdd(name, $"{folder}/{name}");
        }

        return files.Values.Append(Traditional);
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
