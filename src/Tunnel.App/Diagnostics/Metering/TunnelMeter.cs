using System.Diagnostics.Metrics;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Diagnostics.Metering;

/// <summary>
/// The meter "Tunnel" of System.Diagnostics.Metrics, for whoever listens in this process or from outside (dotnet-counters). Sessions and
/// links are asked once a collection; while nobody listens nothing here runs.
/// </summary>
public sealed class TunnelMeter : IDisposable
{
    public const string Name = "Tunnel";

    /// <summary>How long one reading serves the instruments of a collection, in milliseconds.</summary>
    internal const int Freshness = 200;

    private readonly Lock _lock = new();
    private readonly ITunnelEnd _end;
    private readonly Meter _meter;
    private readonly List<HistogramFeed> _feeds = [];
    private readonly Histogram<double> _dials;
    private Reading? _reading;
    private long _readAt;

    public TunnelMeter(ITunnelEnd end)
    {
        _end = end;
        _meter = new Meter(new MeterOptions(Name) { Tags = [new KeyValuePair<string, object?>("role", end.Role)] });
        Metric dials = MetricCatalog.Tunnel.Single(m => m.Name == StreamMetrics.DialDuration);
        _dials = _meter.CreateHistogram<double>(dials.Name, dials.Unit, dials.Doc);
        end.Ledger.Dials.Counted += OnDial;
        foreach (Metric metric in MetricCatalog.Tunnel.Except([dials]))
            Create(metric);
    }

    public void Dispose()
    {
        _end.Ledger.Dials.Counted -= OnDial;
        _meter.Dispose();
    }

    private void Create(Metric metric)
    {
        if (metric is HistogramMetric histogram)
            _feeds.Add(new HistogramFeed(histogram, _meter.CreateHistogram<double>(metric.Name, metric.Unit, metric.Doc)));
        else if (metric is NumberMetric { Kind: MetricKind.Counter } counter)
            _meter.CreateObservableCounter(metric.Name, () => Observe(counter), metric.Unit, metric.Doc);
        else if (metric is NumberMetric level)
            _meter.CreateObservableUpDownCounter(metric.Name, () => Observe(level), metric.Unit, metric.Doc);
    }

    private IEnumerable<Measurement<long>> Observe(NumberMetric metric) => metric.Read(Read())
        .Select(s => new Measurement<long>((long)s.Value, s.Labels.Select(l => new KeyValuePair<string, object?>(l.Key, l.Value))));

    /// <summary>Whatever instrument is asked first in a collection reads for all, and lets the histograms speak.</summary>
    private Reading Read()
    {
        lock (_lock)
        {
            if (_reading is not null && Environment.TickCount64 - _readAt < Freshness)
                return _reading;
            _reading = Reading.Take(_end);
            _readAt = Environment.TickCount64;
            foreach (HistogramFeed feed in _feeds)
                feed.Record(_reading);
            return _reading;
        }
    }

    private void OnDial(DialResult result, TimeSpan took)
    {
        // Once for each connection: nothing is put together for nobody.
        if (!_dials.Enabled)
            return;
        Label label = Label.Of("result", result);
        _dials.Record(took.TotalSeconds, new KeyValuePair<string, object?>(label.Key, label.Value));
    }

    /// <summary>
    /// Buckets cannot be handed to such listeners, which make their own; so at each collection they get what came since the last one as
    /// a handful of values in the buckets' proportions.
    /// </summary>
    private sealed class HistogramFeed(HistogramMetric metric, Histogram<double> instrument)
    {
        private const int Most = 100;

        private readonly Dictionary<string, HistogramSum> _last = [];

        public void Record(Reading reading)
        {
            foreach (Distribution distribution in metric.Read(reading))
            {
                string key = string.Join(',', distribution.Labels.Select(l => l.Value));
                // The first collection has everything since the start: a short life, too, is exported.
                if (instrument.Enabled)
                    Record(distribution, _last.GetValueOrDefault(key) ?? new HistogramSum());
                _last[key] = distribution.Values;
            }
        }

        private void Record(Distribution now, HistogramSum last)
        {
            KeyValuePair<string, object?>[] tags = [.. now.Labels.Select(l => new KeyValuePair<string, object?>(l.Key, l.Value))];
            long total = now.Values.Count - last.Count;
            for (int i = 0; total > 0 && i < now.Values.Counts.Length; i++)
            {
                long came = now.Values.Counts[i] - last.Counts[i];
                long shown = total <= Most ? came : (came * Most + total - 1) / total;
                for (long n = 0; n < shown; n++)
                    instrument.Record(Middle(i) * metric.Scale, tags);
            }
        }

        private static double Middle(int bucket)
        {
            ReadOnlySpan<long> bounds = Tunnel.Protocol.Primitives.Histogram.Bounds;
            long upper = bounds[Math.Min(bucket, bounds.Length - 1)];
            return bucket == 0 || bucket >= bounds.Length ? upper : (bounds[bucket - 1] + 1 + upper) / 2.0;
        }
    }
}
