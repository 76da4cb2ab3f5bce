using Tunnel.App.Runtime;

namespace Tunnel.App.Diagnostics.Metering;

/// <summary>Streams, what they carry, and how they come to be.</summary>
internal static class StreamMetrics
{
    public const string DialDuration = "tunnel.dial.duration";

    public static readonly IReadOnlyList<Metric> All =
    [
        new NumberMetric("tunnel.streams", MetricKind.Level, "{stream}", "Streams that are open.",
            r => Reading.One(r.Sessions.Sum(s => (long)s.Streams))),
        new NumberMetric("tunnel.streams.opened", MetricKind.Counter, "{stream}", "Streams opened, by this end (own) or by the peer.",
            r => Reading.By("by", ("own", r.Totals.Sessions.Mux.Opened), ("peer", r.Totals.Sessions.Mux.Accepted))),
        new NumberMetric("tunnel.streams.closed", MetricKind.Counter, "{stream}",
            "Streams ended: in order (finished), by this end (closed) or the peer (reset) before that, with their session (lost).",
            r => Reading.By(
                "reason",
                ("finished", r.Totals.Sessions.Mux.Finished),
                ("closed", r.Totals.Sessions.Mux.Closed),
                ("reset", r.Totals.Sessions.Mux.Reset),
                ("lost", r.Totals.Sessions.Mux.Lost))),
        new NumberMetric("tunnel.stream.io", MetricKind.Counter, "By", "Bytes relayed: out into the tunnel, in out of it.",
            r => Reading.InOut(r.Totals.Sessions.Mux.BytesReceived, r.Totals.Sessions.Mux.BytesSent)),
        new HistogramMetric(DialDuration, "s",
            "Connecting to targets: at a server the connecting, at a client the whole way to the server's answer.", 0.001,
            r => r.End.Ledger.Dials.Read().Select(d => new Distribution(d.Times, Label.Of("result", d.Result)))),
        new NumberMetric("tunnel.connections", MetricKind.Level, "{connection}", "Connections being served: applications' at a client, those to reverse forwards at a server.",
            r => r.End.GetListeners() is { } listeners ? Reading.One(listeners.Active) : []),
        new NumberMetric("tunnel.accept.errors", MetricKind.Counter, "{error}", "Connections that could not be accepted.",
            r => r.End.GetListeners() is { } listeners ? Reading.One(listeners.AcceptErrors) : []),
        new NumberMetric("tunnel.defects", MetricKind.Counter, "{defect}", "Defects of this program that ended one connection, stream, flow or reload and nothing else.",
            _ => Reading.One(DefectLog.OfProcess.Count)),
    ];
}
