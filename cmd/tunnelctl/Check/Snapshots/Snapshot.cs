using System.Globalization;
using System.Text.Json;
using Tunnel.Ctl.Check.Knobs;
using Tunnel.Ctl.Check.Proc;
using Tunnel.Links.Host.Ethtool;

namespace Tunnel.Ctl.Check.Snapshots;

/// <summary>Everything that a check looks at, at one moment: JSON, schema 2. Two of them can be compared.</summary>
/// <param name="Schema">2; in files of earlier versions 1, without the memory's size.</param>
/// <param name="Boot">The kernel's name for this boot; counters begin anew with each.</param>
/// <param name="Host">Which machine, and when.</param>
/// <param name="Profile">What the findings were judged by.</param>
/// <param name="Findings">By name.</param>
/// <param name="Settings">Every setting of the network, and of the card.</param>
/// <param name="Counters">What only grows.</param>
internal sealed record Snapshot(
    int Schema,
    string Boot,
    HostIdentity Host,
    TuningProfile Profile,
    IReadOnlyDictionary<string, SnapshotFinding> Findings,
    IReadOnlyDictionary<string, string> Settings,
    IReadOnlyDictionary<string, long> Counters)
{
    private const int CurrentSchema = 2;

    private static readonly string[] Folders = ["net/core", "net/ipv4", "net/netfilter", "fs", "vm"];

    /// <summary>Checks this host and keeps everything.</summary>
    public static async Task<Snapshot> TakeAsync(CheckRequest request, Action<string> progress, CancellationToken cancel) =>
        Of(await CheckRun.RunAsync(request, progress, cancel).ConfigureAwait(false));

    public static Snapshot Of(CheckReport report)
    {
        CheckContext context = report.Context;
        return new Snapshot(
            CurrentSchema,
            context.Files.Read("/proc/sys/kernel/random/boot_id").Text?.Trim() ?? "unknown",
            report.Host,
            context.Profile,
            report.Findings.ToDictionary(f => f.Name, f => new SnapshotFinding(f.Verdict, f.Is, f.Should)),
            SettingsOf(context),
            CountersOf(context.After));
    }

    /// <summary>Writes a new file; there must be none of that name.</summary>
    /// <exception cref="IOException">There is one, or it cannot be written.</exception>
    public void Create(string path)
    {
        using var stream = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
        JsonSerializer.Serialize(stream, this, JsonText.Options);
    }

    /// <exception cref="IOException">It cannot be read, or is no snapshot.</exception>
    public static Snapshot Read(string path)
    {
        try
        {
            Snapshot? snapshot = JsonSerializer.Deserialize<Snapshot>(File.ReadAllBytes(path), JsonText.Options);
            return snapshot is { Schema: 1 or CurrentSchema, Host: not null, Findings: not null, Settings: not null, Counters: not null }
                ? snapshot
                : throw new IOException($"{path} is not a snapshot");
        }
        catch (JsonException e)
        {
            throw new IOException($"{path} is not a snapshot: {e.Message}");
        }
    }

    private static SortedDictionary<string, string> SettingsOf(CheckContext context)
    {
        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (string folder in Folders)
        {
            foreach (string name in context.Files.List($"/proc/sys/{folder}").Where(IsSetting))
            {
                if (context.Files.Read($"/proc/sys/{folder}/{name}").Text is { } text)
                    settings[$"{folder.Replace('/', '.')}.{name}"] = text.Trim();
            }
        }

        foreach (Knob knob in KnobCatalog.All.Where(k => !settings.ContainsKey(k.Name)))
        {
            if (knob.Read(context).Text is { } text)
                settings[knob.Name] = text.Trim();
        }

        AddCard(context, settings);
        return settings;
    }

    // Secrets of the kernel's, and what is a state rather than a setting.
    private static bool IsSetting(string name) => !name.Contains("key", StringComparison.Ordinal) && !name.Contains("secret", StringComparison.Ordinal)
        && !name.EndsWith("_count", StringComparison.Ordinal) && !name.EndsWith("-nr", StringComparison.Ordinal) && !name.EndsWith("-state", StringComparison.Ordinal);

    private static void AddCard(CheckContext context, SortedDictionary<string, string> settings)
    {
        if (context.Nic is not { } nic)
            return;
        if (nic.Channels().Value is { } channels)
            settings["nic.channels"] = $"rx {channels.Rx} tx {channels.Tx} combined {channels.Combined}";
        if (nic.Driver().Value is { } driver)
            settings["nic.driver"] = $"{driver.Name} {driver.Version}".Trim();
        if (nic.Spread().Value is { } spread)
            settings["nic.rss"] = string.Join(' ', spread);
        settings["nic.offloads"] = nic.Offloads().ToString();
        foreach (string file in new[] { "mtu", "tx_queue_len", "speed", "operstate", "napi_defer_hard_irqs", "gro_flush_timeout" })
        {
            if (context.Files.Read($"/sys/class/net/{context.Interface}/{file}").Text is { } text)
                settings[$"nic.{file}"] = text.Trim();
        }
    }

    private static SortedDictionary<string, long> CountersOf(HostSample sample)
    {
        var counters = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach ((string name, long value) in sample.Network)
            counters[$"net.{name}"] = value;
        foreach ((string name, long value) in sample.Link)
            counters[$"link.{name}"] = value;
        foreach (NicStatistic statistic in sample.Driver)
            counters[$"driver.{statistic.Name}"] = unchecked((long)statistic.Value);
        foreach (SoftnetStat stat in sample.Softnet)
        {
            counters[$"softnet.cpu{stat.Processor}.processed"] = stat.Processed;
            counters[$"softnet.cpu{stat.Processor}.dropped"] = stat.Dropped;
            counters[$"softnet.cpu{stat.Processor}.squeezed"] = stat.Squeezed;
        }

        foreach (InterruptLine line in sample.Interrupts)
        {
            for (int i = 0; i < line.Counts.Length; i++)
                counters[string.Create(CultureInfo.InvariantCulture, $"irq.{line.Number}.cpu{i}")] = line.Counts[i];
        }

        if (sample.Cpu is { } cpu)
            (counters["cpu.ticks"], counters["cpu.steal"], counters["cpu.softirq"]) = (cpu.Total, cpu.Steal, cpu.SoftInterrupt);
        return counters;
    }
}

/// <summary>A finding, without its advice.</summary>
internal sealed record SnapshotFinding(FindingVerdict Verdict, string Is, string Should);
