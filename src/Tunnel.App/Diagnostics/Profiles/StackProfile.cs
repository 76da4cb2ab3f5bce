namespace Tunnel.App.Diagnostics.Profiles;

/// <summary>A profile: how much of some things was seen under which stacks.</summary>
/// <param name="Kinds">What the values of a sample are, in their order; the last is what tools show first.</param>
/// <param name="Functions">Names; frames are indices into them.</param>
/// <param name="Samples">Each stack and thread once.</param>
public sealed record StackProfile(IReadOnlyList<ValueKind> Kinds, IReadOnlyList<string> Functions, IReadOnlyList<StackSample> Samples)
{
    /// <summary>What is between two samples.</summary>
    public ValueKind PeriodKind { get; init; } = new("", "");

    /// <summary>How much of it.</summary>
    public long Period { get; init; }

    /// <summary>When it began.</summary>
    public DateTimeOffset Start { get; init; }

    /// <summary>For how long it was measured; zero for a moment.</summary>
    public TimeSpan Duration { get; init; }

    /// <summary>For whoever reads it: what is measured, and how.</summary>
    public IReadOnlyList<string> Comments { get; init; } = [];
}

/// <summary>For instance cpu in nanoseconds.</summary>
public sealed record ValueKind(string Type, string Unit);

/// <summary>What was seen under one stack.</summary>
/// <param name="Frames">Functions, the innermost first.</param>
/// <param name="Values">One a kind.</param>
/// <param name="Thread">Whose stack it is; null where that says nothing.</param>
public sealed record StackSample(int[] Frames, long[] Values, string? Thread);
