using Tunnel.Ctl.Check;
using Tunnel.Ctl.Check.Knobs;
using Tunnel.Ctl.Check.Snapshots;

namespace Tunnel.Ctl.Bench.Report;

/// <summary>One bench, or two with something changed in between, and what that comes to.</summary>
/// <param name="Knob">The setting that it is about.</param>
/// <param name="Changed">Settings of the host that were not the same in both.</param>
/// <param name="Before">The first bench.</param>
/// <param name="After">The second; null: nothing was changed, and one was measured.</param>
/// <param name="Comparison">Of the two; null with one.</param>
internal sealed record BenchReport(
    Knob Knob, IReadOnlyList<SettingChange> Changed, BenchResult Before, BenchResult? After, Comparison? Comparison)
{
    /// <summary>What a report is about when nothing tells: the knob that most guides begin with.</summary>
    private static readonly Knob Usual = SysctlKnobs.Somaxconn;

    public Interpretation Interpretation => Interpretation.Of(this);

    /// <summary>The knob had another value in the second bench; otherwise something else was changed, or nothing.</summary>
    public bool IsTurned => After is not null && ValueOf(Before, Knob.Name) != ValueOf(After, Knob.Name);

    /// <param name="before">A result that was kept, with its host's record.</param>
    /// <param name="after">Another of the same load; null: there is one only.</param>
    /// <param name="knob">What it is about; null: the one setting that was changed.</param>
    /// <exception cref="BenchException">A host's record is missing, the two have nothing in common, or there is no such knob.</exception>
    public static BenchReport Of(BenchResult before, BenchResult? after, string? knob)
    {
        foreach (BenchResult? result in new[] { before, after })
        {
            if (result is { HostRecord: null })
                throw new BenchException("a result without its host's record: it was kept by an older version of bench --save");
        }

        SettingChange[] changed = after is null ? [] : [.. SnapshotDiff.Of(before.HostRecord!.Before, after.HostRecord!.Before).Settings];
        Knob? told = knob is null ? null : KnobCatalog.Find(knob) ?? throw new BenchException($"there is no knob {knob}");
        Knob[] turned = [.. changed.Select(c => KnobCatalog.Find(c.Name)).OfType<Knob>()];
        return new BenchReport(
            told ?? (turned is [var only] ? only : Usual), changed, before, after, after is null ? null : Comparison.Of("before", before, "after", after));
    }

    /// <summary>What a setting was during a bench, as people read it; null where it was not there.</summary>
    public static string? ValueOf(BenchResult result, string name) => result.HostRecord!.Before.Settings.GetValueOrDefault(name) is { } text
        ? string.Join(' ', new Reading(text, null).Words)
        : null;
}
