using Tunnel.App.Diagnostics.Metering;
using Tunnel.App.Runtime.Traffic;
using Tunnel.Links;

namespace Tunnel.App.Diagnostics.Status;

/// <summary>The sums that rates are made of, at one moment.</summary>
internal sealed record Counts(
    long At,
    long StreamIn,
    long StreamOut,
    LinkCounters Link,
    long RoundTrips,
    long RoundTripSum,
    long Segments,
    long Retransmissions,
    long Drops,
    double CpuSeconds,
    double GcPauseMilliseconds,
    int GcCollections)
{
    public static Counts Of(Reading reading, long at)
    {
        SessionTotals sessions = reading.Totals.Sessions;
        var link = default(LinkCounters);
        foreach (LinkTotals totals in reading.Totals.Links.Values)
            link += totals.Counters;
        long drops = reading.Totals.Links.Values.Sum(l => l.Drops.Sum());
        return new Counts(
            at,
            sessions.Mux.BytesReceived,
            sessions.Mux.BytesSent,
            link,
            sessions.RoundTrips.Count,
            sessions.RoundTrips.Sum,
            sessions.Kcp.SegmentsSent,
            sessions.Kcp.Retransmits,
            drops + link.KernelDrops + link.SendErrors + link.Truncated,
            Environment.CpuUsage.TotalTime.TotalSeconds,
            GC.GetTotalPauseDuration().TotalMilliseconds,
            Enumerable.Range(0, GC.MaxGeneration + 1).Sum(GC.CollectionCount));
    }

    /// <summary>What happened since, a second.</summary>
    public RateSample Since(Counts before, Reading reading)
    {
        double seconds = Math.Max(0.001, (At - before.At) / 1000.0);
        long trips = RoundTrips - before.RoundTrips;
        return new RateSample(
            DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
            (StreamIn - before.StreamIn) / seconds,
            (StreamOut - before.StreamOut) / seconds,
            (Link.BytesIn - before.Link.BytesIn) / seconds,
            (Link.BytesOut - before.Link.BytesOut) / seconds,
            (Link.PacketsIn - before.Link.PacketsIn) / seconds,
            (Link.PacketsOut - before.Link.PacketsOut) / seconds,
            trips > 0 ? (RoundTripSum - before.RoundTripSum) / (double)trips : null,
            (Segments - before.Segments) / seconds,
            (Retransmissions - before.Retransmissions) / seconds,
            (Drops - before.Drops) / seconds,
            reading.Sessions.Count,
            reading.Sessions.Sum(s => s.Streams),
            100 * (CpuSeconds - before.CpuSeconds) / seconds,
            Environment.WorkingSet,
            GC.GetTotalMemory(false),
            (GcPauseMilliseconds - before.GcPauseMilliseconds) / seconds,
            (GcCollections - before.GcCollections) / seconds);
    }
}
