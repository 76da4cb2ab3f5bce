namespace Tunnel.Ctl.Bench;

/// <summary>How much load, for how long.</summary>
/// <param name="Concurrency">Workers at one time, one run for each.</param>
/// <param name="Rounds">Runs of each concurrency.</param>
/// <param name="Duration">How long a run measures; ignored with <paramref name="Requests"/>.</param>
/// <param name="Requests">Operations that a run measures; null: by time.</param>
/// <param name="WarmUp">What goes before each run and is never counted.</param>
/// <param name="Rate">Operations a second, all workers together, on a fixed schedule; null: as fast as the answers come.</param>
/// <param name="Timeout">For one operation.</param>
/// <param name="HoldsStill">An operation is not to end: connections are held.</param>
internal sealed record LoadPlan(
    IReadOnlyList<int> Concurrency,
    int Rounds,
    TimeSpan Duration,
    long? Requests,
    TimeSpan WarmUp,
    double? Rate,
    TimeSpan Timeout,
    bool HoldsStill = false);
