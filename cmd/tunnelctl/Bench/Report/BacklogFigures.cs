using System.Globalization;
using Tunnel.Ctl.Check.Knobs;

namespace Tunnel.Ctl.Bench.Report;

/// <summary>How full the waiting room before accept() was, and how long a pause it would bear at the rate that was measured.</summary>
/// <param name="Rate">New connections a second, at the concurrency that made the most.</param>
/// <param name="Before">The listener that took the load in the first bench; null: it is not this host's.</param>
/// <param name="After">The same in the second.</param>
/// <param name="Overflows">TcpExtListenOverflows in each bench; null where the kernel does not tell.</param>
internal sealed record BacklogFigures(double Rate, ListenerUse? Before, ListenerUse? After, (long? Before, long? After) Overflows)
{
    /// <summary>Below this most connections were kept, and the queue before accept() had hardly anything to do.</summary>
    private const double FewConnections = 10;

    public static bool Concerns(Knob knob) => knob == SysctlKnobs.Somaxconn || knob == SysctlKnobs.SynBacklog;

    public static BacklogFigures Of(BenchReport report) => new(
        new[] { report.Before, report.After }.OfType<BenchResult>().SelectMany(r => r.Points).Max(RateOf),
        FullestOf(report.Before),
        FullestOf(report.After),
        (report.Before.HostRecord!.Overflows, report.After?.HostRecord!.Overflows));

    /// <summary>Sentences; the arithmetic is a queue's: what it holds, divided by what comes in a second.</summary>
    public string Describe()
    {
        List<string> parts = [];
        if (Before is not null)
            parts.Add($"The fullest queue ({Before.Local}) held {Waiting(Before)}{(After is null ? "" : $" before and {Waiting(After)} after")}.");
        if (Overflows.Before is { } before)
            parts.Add($"It overflowed {Times(before)}{(Overflows.After is { } after ? $" before and {Times(after)} after" : "")}.");
        parts.Add(Rate < FewConnections ? "Hardly any connections were opened, so the backlog had nothing to do." : Pauses());
        return string.Join(' ', parts);
    }

    private string Pauses()
    {
        string rate = string.Create(CultureInfo.InvariantCulture, $"{Rate:#,0} new connections a second");
        string[] pauses = [.. new[] { Before, After }.OfType<ListenerUse>().Select(u => u.Backlog).Distinct().Select(b => $"{b} by one of {BenchTable.Time(b / Rate * 1e6)}")];
        return pauses.Length == 0
            ? $"At {rate}, a backlog of N is filled by a pause of N / {Rate.ToString("0", CultureInfo.InvariantCulture)} seconds of whoever accepts."
            : $"At {rate}, a pause of whoever accepts fills the queue: {string.Join(", ", pauses)}.";
    }

    private static ListenerUse? FullestOf(BenchResult? result) => result?.HostRecord!.Listeners is [var fullest, ..] ? fullest : null;

    private static double RateOf(BenchPoint point) =>
        Statistics.Median([.. point.Rounds.Select(r => r.Seconds > 0 ? r.Connect.Count / r.Seconds : 0)]);

    private static string Waiting(ListenerUse use) => string.Create(CultureInfo.InvariantCulture, $"{use.MostWaiting} of {use.Backlog}");

    private static string Times(long count) => count == 1 ? "once" : string.Create(CultureInfo.InvariantCulture, $"{count} times");
}
