using System.Diagnostics.Metrics;
using System.Globalization;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using Tunnel.App.Diagnostics.Metering;
using Tunnel.App.Runtime.Traffic;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;

namespace Tunnel.Tests.Diagnostics;

/// <summary>What listeners who make histograms of their own are told of ours.</summary>
public class HistogramFeedTests
{
    private const int Second = 1000;

    private static readonly HistogramMetric RoundTrips = (HistogramMetric)MetricCatalog.Tunnel.Single(m => m.Name == "tunnel.kcp.rtt");

    /// <summary>OpenTelemetry's own aggregation, which the exporter sends, has the buckets and the counts of /metrics.</summary>
    [Fact]
    public void OpenTelemetryCountsWhatMetricsShow()
    {
        using var bench = new ServerBench();
        using var meter = new TunnelMeter(bench.End);
        var heard = new Heard();
        // Other tests of this process have meters of the same name.
        using MeterProvider provider = Sdk.CreateMeterProviderBuilder()
            .AddMeter(TunnelMeter.Name)
            .AddView(instrument => instrument.Meter == meter.Meter ? null : MetricStreamConfiguration.Drop)
            .AddReader(new BaseExportingMetricReader(heard))
            .Build();
        BenchPeer peer = bench.Greet(1);
        Assert.NotNull(peer.Session.OpenStream());
        peer.Acknowledge();
        for (int i = 0; i < 1500; i++)
            peer.Say(MuxCommand.KeepAlive, 0);
        provider.ForceFlush();

        PrometheusParser metrics = bench.Metrics();
        foreach (string name in new[] { "tunnel_kcp_rto_seconds", "tunnel_flush_size", "tunnel_link_batch_size" })
        {
            Assert.True(metrics.Sum(name + "_count") >= 1);
            Assert.Equal(Buckets(metrics, name), heard.Buckets[name]);
        }

        Assert.True(metrics.Sum("tunnel_link_batch_size_count") >= 1500);
    }

    [Fact]
    public void EachValueIsToldOnceInItsBucket()
    {
        long[] counts = [.. Enumerable.Range(0, Histogram.Bounds.Length + 1).Select(i => 3L * i)];
        long[] told = Tell(Second, Sum(counts));
        Assert.Equal(counts, told);
    }

    [Fact]
    public void OnlyWhatIsNewIsTold() => Assert.Equal([9, 0, 1], Tell(Second, Sum([5, 0, 1]), Sum([9, 0, 1]))[..3]);

    /// <summary>Longer without a collection, and more is told one by one, but never so much at once that it would be felt.</summary>
    [Theory]
    [InlineData(0, HistogramFeed.MostPerSecond)]
    [InlineData(10 * Second, 10 * HistogramFeed.MostPerSecond)]
    [InlineData(600 * Second, HistogramFeed.MostAtOnce)]
    public void WhatWouldBeTooMuchIsToldInProportion(long elapsed, int most)
    {
        long[] exact = Tell(elapsed, Sum([most / 4, 0, most * 3 / 4]));
        Assert.Equal([most / 4, 0, most * 3 / 4], exact[..3]);

        long[] told = Tell(elapsed, Sum([most, 0, 3L * most, 1]));
        Assert.InRange(told.Sum(), most, most + 4);
        Assert.InRange(told[0], (most / 4) - 1, (most / 4) + 1);
        Assert.Equal(1, told[3]);
    }

    /// <summary>What a listener hears, by bucket.</summary>
    private static long[] Tell(long elapsed, params HistogramSum[] readings)
    {
        using var meter = new Meter("Tunnel.Tests.HistogramFeed");
        using var listener = new MeterListener();
        double[] bounds = RoundTrips.GetBounds();
        long[] told = new long[bounds.Length + 1];
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (ReferenceEquals(instrument.Meter, meter))
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) =>
        {
            Assert.Equal(bounds, ((Histogram<double>)instrument).Advice!.HistogramBucketBoundaries);
            told[bounds.TakeWhile(b => value > b).Count()]++;
        });
        listener.Start();
        var feed = new HistogramFeed(RoundTrips, meter);
        foreach (HistogramSum roundTrips in readings)
            feed.Record(ReadingOf(roundTrips), elapsed);
        return told;
    }

    private static HistogramSum Sum(long[] counts)
    {
        var sum = new HistogramSum();
        counts.CopyTo(sum.Counts, 0);
        return sum;
    }

    private static Reading ReadingOf(HistogramSum roundTrips)
    {
        var sessions = new SessionTotals();
        sessions.RoundTrips.Add(roundTrips);
        return new Reading(new BareEnd(new TrafficLedger(), null), new TrafficTotals(sessions, new Dictionary<string, LinkTotals>(), 0, []), []);
    }

    /// <summary>Values up to each bound, as Prometheus has them.</summary>
    private static (double Bound, double Below)[] Buckets(PrometheusParser metrics, string name) =>
    [
        .. metrics.Series.Where(s => s.Key.StartsWith(name + "_bucket{", StringComparison.Ordinal))
            .Select(s => (BoundOf(s.Key), s.Value)).OrderBy(b => b.Item1),
    ];

    private static double BoundOf(string series)
    {
        string bound = series[(series.IndexOf("le=\"", StringComparison.Ordinal) + 4)..].TrimEnd('}', '"');
        return bound == "+Inf" ? double.PositiveInfinity : double.Parse(bound, CultureInfo.InvariantCulture);
    }

    /// <summary>Keeps the histograms that it hears.</summary>
    private sealed class Heard : BaseExporter<OpenTelemetry.Metrics.Metric>
    {
        public Dictionary<string, (double Bound, double Below)[]> Buckets { get; } = [];

        public override ExportResult Export(in Batch<OpenTelemetry.Metrics.Metric> batch)
        {
            foreach (OpenTelemetry.Metrics.Metric metric in batch)
            {
                if (metric.MetricType == MetricType.Histogram)
                    Keep(metric);
            }

            return ExportResult.Success;
        }

        private void Keep(OpenTelemetry.Metrics.Metric metric)
        {
            string name = PrometheusText.NameOf(MetricCatalog.Tunnel.Single(m => m.Name == metric.Name));
            foreach (ref readonly MetricPoint point in metric.GetMetricPoints())
            {
                List<(double, double)> buckets = [];
                double below = 0;
                foreach (HistogramBucket bucket in point.GetHistogramBuckets())
                    buckets.Add((bucket.ExplicitBound, below += bucket.BucketCount));
                Buckets[name] = [.. buckets];
            }
        }
    }
}
