using Tunnel.App.Runtime;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Diagnostics.Metering;

/// <summary>KCP and the sessions that it carries.</summary>
internal static class SessionMetrics
{
    private const double Milliseconds = 0.001;

    public static readonly IReadOnlyList<Metric> All =
    [
        new NumberMetric("tunnel.kcp.segments", MetricKind.Counter, "{segment}", "Data segments, those sent again and duplicates included.",
            r => Reading.InOut(r.Totals.Sessions.Kcp.SegmentsReceived, r.Totals.Sessions.Kcp.SegmentsSent)),
        new NumberMetric("tunnel.kcp.retransmissions", MetricKind.Counter, "{segment}", "Data segments sent again.",
            r => Reading.By(
                "cause",
                ("fast", r.Totals.Sessions.Kcp.FastRetransmits),
                ("timeout", r.Totals.Sessions.Kcp.TimeoutRetransmits),
                ("early", r.Totals.Sessions.Kcp.EarlyRetransmits),
                ("copy", r.Totals.Sessions.Kcp.Copies))),
        new NumberMetric("tunnel.kcp.duplicates", MetricKind.Counter, "{segment}", "Data segments that had come before.",
            r => Reading.One(r.Totals.Sessions.Kcp.Duplicates)),
        new NumberMetric("tunnel.kcp.out_of_window", MetricKind.Counter, "{segment}", "Data segments outside of the receive window.",
            r => Reading.One(r.Totals.Sessions.Kcp.OutOfWindow)),
        new NumberMetric("tunnel.kcp.malformed", MetricKind.Counter, "{datagram}", "Datagrams with a segment that cannot be.",
            r => Reading.One(r.Totals.Sessions.Kcp.Malformed)),
        new NumberMetric("tunnel.kcp.dead_link", MetricKind.Counter, "{segment}", "Data segments that were sent twenty times.",
            r => Reading.One(r.Totals.Sessions.Kcp.DeadLinkSegments)),
        new HistogramMetric("tunnel.kcp.rtt", "s", "Round trips as acknowledgements showed them.", Milliseconds,
            r => [new Distribution(r.Totals.Sessions.RoundTrips)]),
        new HistogramMetric("tunnel.kcp.rto", "s", "The retransmission timeout after each of them.", Milliseconds,
            r => [new Distribution(r.Totals.Sessions.Timeouts)]),
        new NumberMetric("tunnel.kcp.in_flight", MetricKind.Level, "{segment}", "Data segments sent and not acknowledged, over all sessions.",
            r => Reading.One(r.Sessions.Sum(s => (long)s.InFlight))),
        new NumberMetric("tunnel.kcp.in_flight.size", MetricKind.Level, "By", "Bytes in them.",
            r => Reading.One(r.Sessions.Sum(s => (long)s.BytesInFlight))),
        new NumberMetric("tunnel.kcp.pacing_rate", MetricKind.Level, "By/s", "What may leave, over all sessions that are paced.",
            r => Reading.One(r.Sessions.Sum(s => s.PacingRate))),
        new NumberMetric("tunnel.kcp.window", MetricKind.Level, "{segment}",
            "Over all sessions: what may be in flight (send), what peers can take (remote), what this end can take (local).",
            r => Reading.By(
                "window",
                ("send", r.Sessions.Sum(s => (long)s.Window)),
                ("remote", r.Sessions.Sum(s => (long)s.RemoteWindow)),
                ("local", r.Sessions.Sum(s => (long)s.LocalWindow)))),
        new NumberMetric("tunnel.sessions", MetricKind.Level, "{session}", "Sessions that there are.", r => Reading.One(r.Sessions.Count)),
        new NumberMetric("tunnel.sessions.opened", MetricKind.Counter, "{session}", "Sessions made.", r => Reading.One(r.Totals.Opened)),
        new NumberMetric("tunnel.sessions.closed", MetricKind.Counter, "{session}", "Sessions ended.",
            r => Enum.GetValues<CloseReason>().Skip(1).Select(c => new Sample(r.Totals.Closed[(int)c], Label.Of("reason", c)))),
        new NumberMetric("tunnel.reconnects", MetricKind.Counter, "{session}", "Client: sessions that came up after another had ended.",
            r => Reading.One(r.End.GetConnections().Sum(c => (long)Math.Max(0, c.Connects - 1)))),
        new NumberMetric("tunnel.refusals", MetricKind.Counter, "{refusal}", "What was refused, by the cap that was reached.", Refusals),
        new NumberMetric("tunnel.memory", MetricKind.Level, "By", "What the sessions' windows and buffers take.",
            r => Reading.One(r.Sessions.Sum(s => s.Memory))),
        new NumberMetric("tunnel.memory.limit", MetricKind.Level, "By", "transport.memory.",
            r => r.End.MemoryLimit is { } limit ? Reading.One(limit) : []),
        new NumberMetric("tunnel.buffered", MetricKind.Level, "By", "Bytes received in streams that wait for their readers.",
            r => Reading.One(r.Sessions.Sum(s => s.Buffered))),
    ];

    /// <summary>A session is refused by datagram: a client that is not taken tries again with each.</summary>
    private static IEnumerable<Sample> Refusals(Reading reading) => Reading.By(
        "cap",
        ("max_sessions", LinkMetrics.Dropped(reading, DropReason.SessionLimit)),
        ("memory", LinkMetrics.Dropped(reading, DropReason.Memory) + reading.Totals.Sessions.Mux.RefusedForMemory),
        ("max_streams_per_session", reading.Totals.Sessions.Mux.RefusedBySession),
        ("max_streams_total", reading.Totals.Sessions.Mux.RefusedInAll),
        ("max_connections", reading.End.GetListeners()?.Refused ?? 0),
        ("max_associations", reading.End.Limits.GetStrikes(LimitKind.MaxAssociations)));
}
