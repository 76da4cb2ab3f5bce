using Tunnel.App.Services;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Diagnostics.Metering;

/// <summary>What is below the sessions: frames, drops, the guard; and beside them: datagrams of applications.</summary>
internal static class LinkMetrics
{
    public static readonly IReadOnlyList<Metric> All =
    [
        new NumberMetric("tunnel.link.packets", MetricKind.Counter, "{packet}", "Packets at the link, as they are on the wire.",
            r => r.PerLink(l => l.Counters.PacketsIn, l => l.Counters.PacketsOut)),
        new NumberMetric("tunnel.link.io", MetricKind.Counter, "By", "Bytes of those packets, headers included.",
            r => r.PerLink(l => l.Counters.BytesIn, l => l.Counters.BytesOut)),
        new NumberMetric("tunnel.link.send.errors", MetricKind.Counter, "{packet}", "Packets that the kernel refused to send: loss.",
            r => r.PerLink(l => l.Counters.SendErrors)),
        new NumberMetric("tunnel.link.truncated", MetricKind.Counter, "{packet}", "Packets longer than the capture length, dropped.",
            r => r.PerLink(l => l.Counters.Truncated)),
        new NumberMetric("tunnel.capture.drops", MetricKind.Counter, "{packet}", "Packets that the kernel dropped before they were read.",
            r => r.PerLink(l => l.Counters.KernelDrops)),
        new NumberMetric("tunnel.guard.checks", MetricKind.Counter, "{frame}", "Frames that the guard judged.",
            r => Reading.By("verdict", ("pass", r.Totals.Links.Values.Sum(l => l.GuardPassed)), ("drop", Dropped(r, DropReason.Guard)))),
        new NumberMetric("tunnel.drops", MetricKind.Counter, "{datagram}", "Datagrams that were not used.",
            r => Enum.GetValues<DropReason>().Skip(1).Select(reason => new Sample(Dropped(r, reason), Label.Of("reason", reason)))),
        new HistogramMetric("tunnel.link.batch.size", "{frame}", "Frames received at one go.", 1,
            r => r.Totals.Links.Select(l => new Distribution(l.Value.Batches, new Label("link", l.Key)))),
        new HistogramMetric("tunnel.link.merged.size", "{datagram}", "Datagrams in one merged frame.", 1, Merged),
        new HistogramMetric("tunnel.flush.size", "{datagram}", "Datagrams that a session sent at one go.", 1,
            r => [new Distribution(r.Totals.Sessions.Flushes)]),
        new NumberMetric("tunnel.udp.flows", MetricKind.Level, "{flow}", "Streams of applications' datagrams that are open.",
            r => Reading.One(r.End.Udp.Flows)),
        new NumberMetric("tunnel.udp.flows.ended", MetricKind.Counter, "{flow}", "Those that ended.",
            r => Enum.GetValues<UdpFlowEnd>().Select(reason => new Sample(r.End.Udp.GetEnds(reason), Label.Of("reason", reason)))),
        new NumberMetric("tunnel.udp.datagrams", MetricKind.Counter, "{datagram}", "Applications' datagrams into (out) and out of (in) the tunnel.",
            r => Reading.InOut(r.End.Udp.FromTunnel, r.End.Udp.ToTunnel)),
        new NumberMetric("tunnel.udp.drops", MetricKind.Counter, "{datagram}", "Applications' datagrams that went nowhere.",
            r => Enum.GetValues<UdpDrop>().Select(reason => new Sample(r.End.Udp.GetDrops(reason), Label.Of("reason", reason)))),
    ];

    public static long Dropped(Reading reading, DropReason reason) => reading.Totals.Links.Values.Sum(l => l.GetDrops(reason));

    private static IEnumerable<Distribution> Merged(Reading reading)
    {
        var received = new HistogramSum();
        foreach (Runtime.Traffic.LinkTotals link in reading.Totals.Links.Values)
            received.Add(link.Merged);
        return
        [
            new Distribution(received, new Label("direction", "in")),
            new Distribution(reading.Totals.Sessions.Merged, new Label("direction", "out")),
        ];
    }
}
