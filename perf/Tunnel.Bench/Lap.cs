using Tunnel.Bench.Cables;
using Tunnel.Bench.Contenders;
using Tunnel.Ctl.Bench;

namespace Tunnel.Bench;

/// <summary>One contender, once.</summary>
/// <param name="Result">What was measured; null: it failed.</param>
/// <param name="Failure">Why there is no result.</param>
internal sealed record Lap(RoundResult? Result, string? Failure)
{
    /// <summary>The same load and processes while nobody watched, in turns with <see cref="Result"/>; null where nobody ever did.</summary>
    public RoundResult? Unwatched { get; init; }

    /// <summary>What our ends said of theirs; null for others.</summary>
    public Losses? Losses { get; init; }

    /// <summary>What our ends' collectors did; null for others, and where it was not watched.</summary>
    public GarbageUse? Garbage { get; init; }

    /// <summary>What the emulated cable did; null on a plain one.</summary>
    public CableUse? Cable { get; init; }
}
