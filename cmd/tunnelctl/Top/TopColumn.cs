using Tunnel.App.Diagnostics.Status;

namespace Tunnel.Ctl.Top;

/// <summary>By what the sessions are sorted.</summary>
internal enum TopSort
{
    Peer,
    Streams,
    Rtt,
    Loss,
    In,
    Out,
    InFlight,
    Memory,
    Age,
}

/// <summary>A column of the sessions' table, and the key that sorts by it.</summary>
/// <param name="Sort">What it sorts by.</param>
/// <param name="Key">The key, in either case.</param>
/// <param name="Title">Its head.</param>
/// <param name="IsText">Left, and the first first; numbers are right, and the largest first.</param>
/// <param name="Value">What is compared.</param>
/// <param name="Show">What is shown.</param>
internal sealed record TopColumn(
    TopSort Sort, char Key, string Title, bool IsText, Func<SessionReport, IComparable> Value, Func<SessionReport, string> Show)
{
    public static readonly IReadOnlyList<TopColumn> All =
    [
        new(TopSort.Peer, 'p', "Peer", true, s => s.Peer, s => s.Peer),
        new(TopSort.Streams, 's', "Streams", false, s => s.Streams, s => $"{s.Streams}"),
        new(TopSort.Rtt, 'r', "RTT/RTO ms", false, s => s.RttMilliseconds, s => $"{s.RttMilliseconds}/{s.RtoMilliseconds}"),
        new(TopSort.Loss, 'l', "Loss", false, s => s.LossPercent, s => $"{s.LossPercent:0.##}%"),
        new(TopSort.In, 'i', "In", false, s => s.InBytesPerSecond, s => TopView.Bits(s.InBytesPerSecond)),
        new(TopSort.Out, 'o', "Out", false, s => s.OutBytesPerSecond, s => TopView.Bits(s.OutBytesPerSecond)),
        new(TopSort.InFlight, 'f', "In flight", false, s => s.InFlight, s => $"{s.InFlight}/{s.SendWindow}"),
        new(TopSort.Memory, 'm', "Memory", false, s => s.MemoryBytes, s => TopView.Bytes(s.MemoryBytes)),
        new(TopSort.Age, 'a', "Age", false, s => s.AgeSeconds, s => TopView.Age(s.AgeSeconds)),
    ];

    /// <summary>What a narrow terminal does without, in this order.</summary>
    public static readonly IReadOnlyList<TopSort> LeastMissed = [TopSort.Memory, TopSort.InFlight, TopSort.Age, TopSort.Rtt, TopSort.Streams];

    public static IEnumerable<SessionReport> Sorted(IEnumerable<SessionReport> sessions, TopSort sort)
    {
        TopColumn column = All.Single(c => c.Sort == sort);
        IOrderedEnumerable<SessionReport> sorted = column.IsText ? sessions.OrderBy(column.Value) : sessions.OrderByDescending(column.Value);
        return sorted.ThenBy(s => s.Peer, StringComparer.Ordinal).ThenBy(s => s.Conv, StringComparer.Ordinal);
    }

    /// <summary>What a pressed key sorts by; null for a key that sorts nothing.</summary>
    public static TopSort? ByKey(char key) => All.FirstOrDefault(c => c.Key == char.ToLowerInvariant(key))?.Sort;
}
