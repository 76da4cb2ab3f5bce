using System.Globalization;

namespace Tunnel.Ctl.Check.Snapshots;

/// <summary>What changed between two snapshots: what --diff --json prints. Schema 2.</summary>
/// <param name="Before">When and where the first was taken.</param>
/// <param name="After">When and where the second was.</param>
/// <param name="Seconds">Between the two.</param>
/// <param name="Settings">What is set otherwise.</param>
/// <param name="Findings">What is judged otherwise.</param>
/// <param name="Counters">What was counted in between; null when the two are not of one boot of one machine.</param>
internal sealed record SnapshotDiff(
    HostIdentity Before,
    HostIdentity After,
    double Seconds,
    IReadOnlyList<SettingChange> Settings,
    IReadOnlyList<VerdictChange> Findings,
    IReadOnlyList<CounterChange>? Counters)
{
    public int Schema { get; } = 2;

    public static SnapshotDiff Of(Snapshot a, Snapshot b)
    {
        double seconds = (b.Host.Time - a.Host.Time).TotalSeconds;
        return new SnapshotDiff(
            a.Host,
            b.Host,
            seconds,
            [
                .. a.Settings.Keys.Union(b.Settings.Keys).Order(StringComparer.Ordinal)
                    .Select(n => new SettingChange(n, a.Settings.GetValueOrDefault(n), b.Settings.GetValueOrDefault(n)))
                    .Where(c => c.Before != c.After),
            ],
            [
                .. a.Findings.Keys.Intersect(b.Findings.Keys)
                    .Select(n => new VerdictChange(n, a.Findings[n].Verdict, b.Findings[n].Verdict, b.Findings[n].Is))
                    .Where(c => c.Before != c.After),
            ],
            a.Boot == b.Boot && a.Host.Name == b.Host.Name ? Count(a, b, seconds) : null);
    }

    public void Print(TextWriter writer)
    {
        writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Before.Name} {Before.Time:u} -> {After.Name} {After.Time:u} ({Seconds:0.#} s)"));
        Print(writer, "Settings", Settings, c => $"{c.Name}: {c.Before ?? "(none)"} -> {c.After ?? "(none)"}");
        Print(writer, "Findings", Findings, c => $"{c.Name}: {c.Before.ToString().ToLowerInvariant()} -> {c.After.ToString().ToLowerInvariant()} ({c.Is})");
        if (Counters is null)
            writer.WriteLine("\nCounters: not of one boot of one machine, so not compared");
        else
            Print(writer, "Counters", Counters, c => string.Create(CultureInfo.InvariantCulture, $"{c.Name}: +{c.Grown} ({c.PerSecond:0.#}/s)"));
    }

    private static CounterChange[] Count(Snapshot a, Snapshot b, double seconds) =>
    [
        .. b.Counters.Keys.Order(StringComparer.Ordinal)
            .Select(n => (Name: n, Grown: b.Counters[n] - a.Counters.GetValueOrDefault(n, b.Counters[n])))
            .Where(c => c.Grown != 0)
            .Select(c => new CounterChange(c.Name, c.Grown, seconds > 0 ? c.Grown / seconds : 0)),
    ];

    private static void Print<T>(TextWriter writer, string title, IReadOnlyList<T> changes, Func<T, string> describe)
    {
        writer.WriteLine();
        writer.WriteLine(changes.Count == 0 ? $"{title}: no change" : $"{title}:");
        foreach (T change in changes)
            writer.WriteLine($"  {describe(change)}");
    }
}

/// <summary>A setting; null where it was not there.</summary>
internal sealed record SettingChange(string Name, string? Before, string? After);

/// <summary>A finding that is judged otherwise, and what it is now.</summary>
internal sealed record VerdictChange(string Name, FindingVerdict Before, FindingVerdict After, string Is);

/// <summary>A counter; negative where it began anew (a driver that was reset).</summary>
internal sealed record CounterChange(string Name, long Grown, double PerSecond);
