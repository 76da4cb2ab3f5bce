using System.Text.Json.Serialization;
using Tunnel.Ctl.Check.Knobs;

namespace Tunnel.Ctl.Check.Setting;

/// <summary>
/// Sets the host's knobs, and sets them back. Never to something worse than they are, never one that is not known; what is done is
/// written down before it is.
/// </summary>
internal sealed class Tuning(CheckContext context)
{
    /// <summary>Sets one knob of this host by its name (net.core.somaxconn, somaxconn, nic.rings) to what the profile wants.</summary>
    /// <param name="name">As its finding is called.</param>
    /// <param name="profile">What the host is for.</param>
    /// <param name="interfaceName">For the knobs of a card.</param>
    /// <returns>What undoes it; without changes where nothing had to be done.</returns>
    /// <exception cref="TuningException">There is no such knob, or it cannot be set.</exception>
    public static AppliedTuning Apply(string name, TuningProfile profile = TuningProfile.Throughput, string? interfaceName = null)
    {
        Knob knob = KnobCatalog.Find(name) ?? throw new TuningException($"there is no knob {name}");
        var tuning = new Tuning(CheckContext.ForSetting(new KernelFiles(), new HostCalls(), profile, interfaceName));
        Reading now = knob.Read(tuning.Context);
        if (knob.Judge(tuning.Context, now).Problem is { } unknown)
            throw new TuningException($"{knob.Name}: {unknown}");
        AppliedTuning applied = tuning.Apply(tuning.Plan(knob.Name));
        return applied.Changes.FirstOrDefault(c => c.Problem is not null) is { } failed
            ? throw new TuningException($"{failed.Name}: {failed.Problem}")
            : applied;
    }

    public CheckContext Context { get; } = context;

    /// <summary>What would be changed, in order; of all knobs, or of one.</summary>
    public IReadOnlyList<PlannedChange> Plan(string? only)
    {
        List<PlannedChange> plan = [];
        foreach (Knob knob in KnobCatalog.All.Where(k => only is null || k == KnobCatalog.Find(only)))
        {
            Reading now = knob.Read(Context);
            Judgement judged = knob.Judge(Context, now);
            if (judged is { Problem: null, IsMet: false })
                plan.Add(new PlannedChange(knob.Name, now.Text!, judged.Set, knob.Command(Context, judged.Set)));
        }

        return plan;
    }

    /// <summary>Does what was planned; what the kernel refuses is said, and the rest goes on.</summary>
    public AppliedTuning Apply(IReadOnlyList<PlannedChange> plan) => new(this, [.. plan.Select(Set)]);

    /// <summary>Sets each knob back, in the reverse order, unless somebody has changed it since.</summary>
    public IReadOnlyList<Change> Revert(IReadOnlyList<Change> changes) => [.. changes.Reverse().Where(c => c.Problem is null || c.IsDone).Select(SetBack)];

    private Change Set(PlannedChange planned)
    {
        Knob knob = KnobCatalog.Find(planned.Name)!;
        string? problem = knob.Write(Context, planned.After);
        Reading now = knob.Read(Context);
        // As the kernel has it: it may write the same number another way.
        return new Change(planned.Name, planned.Before, now.Text ?? (problem is null ? planned.After : planned.Before), problem ?? now.Problem);
    }

    private Change SetBack(Change change)
    {
        if (KnobCatalog.Find(change.Name) is not { } knob || knob.Name != change.Name)
            return change with { Problem = "this program knows no such knob" };
        Reading now = knob.Read(Context);
        if (now.Text == change.Before)
            return new Change(change.Name, change.Before, change.Before, null);
        if (now.Text != change.After)
            return new Change(change.Name, now.Text ?? "", change.Before, now.Problem ?? $"changed by somebody since, to {now.Text?.Trim()}: left as it is");
        string? problem = knob.Write(Context, change.Before);
        Reading then = knob.Read(Context);
        return new Change(change.Name, change.After, change.Before, problem ?? (then.Text == change.Before ? null : $"it is {then.Text?.Trim()} now"));
    }
}

/// <summary>A knob that is to be set.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Before">What it is, word for word.</param>
/// <param name="After">What it shall be.</param>
/// <param name="Command">How a person would do it.</param>
internal sealed record PlannedChange(string Name, string Before, string After, string Command);

/// <summary>A knob that was set, or could not be.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Before">What it was, word for word.</param>
/// <param name="After">What it is, word for word.</param>
/// <param name="Problem">Why it could not be set; null when it was.</param>
internal sealed record Change(string Name, string Before, string After, string? Problem)
{
    /// <summary>It is another value now, and there is something to undo: with a problem, too, where only some of a card's queues took it.</summary>
    [JsonIgnore]
    public bool IsDone => Before != After;
}

/// <summary>What was set, and how to set it back.</summary>
internal sealed class AppliedTuning(Tuning tuning, IReadOnlyList<Change> changes)
{
    public IReadOnlyList<Change> Changes { get; } = changes;

    /// <summary>Sets everything back; the changes that could not be have their problem.</summary>
    public IReadOnlyList<Change> Revert() => tuning.Revert(Changes);
}

/// <summary>A knob cannot be set; the message says why.</summary>
internal sealed class TuningException(string message) : Exception(message);
