namespace Tunnel.Ctl.Bench.Report;

/// <summary>What two benches say about a change.</summary>
internal enum Outcome
{
    /// <summary>There is one bench only.</summary>
    NotCompared,

    /// <summary>One round each: a change cannot be told from noise.</summary>
    Unknown,

    /// <summary>No visible change at these loads.</summary>
    NoChange,

    Better,

    Worse,

    /// <summary>Some figures are better and some worse.</summary>
    Mixed,
}
