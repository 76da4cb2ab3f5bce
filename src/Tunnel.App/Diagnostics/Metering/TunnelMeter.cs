using System.Diagnostics.Metrics;
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
    private long _readAt = Environment.TickCount64;

    public TunnelMeter(ITunnelEnd end)
    {
        _end = end;
        // Without tags: collectors that tell scopes apart by name alone would show one process's for all. Which end it is the service's name says.
        _meter = new Meter(Name);
        var dials = (HistogramMetric)MetricCatalog.Tunnel.Single(m => m.Name == StreamMetrics.DialDuration);
        _dials = HistogramFeed.Create(dials, _meter);
        end.Ledger.Dials.Counted += OnDial;
        foreach (Metric metric in MetricCatalog.Tunnel.Except([dials]))
            Create(metric);
    }

    /// <summary>The meter itself, which others of this process may have the name of.</summary>
    internal Meter Meter => _meter;

    public void Dispose()
    {
        _end.Ledger.Dials.Counted -= OnDial;
        _meter.Dispose();
    }

    private void Create(Metric metric)
    {
        if (metric is HistogramMetric histogram)
            _feeds.Add(new HistogramFeed(histogram, _meter));
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
            long now = Environment.TickCount64;
            foreach (HistogramFeed feed in _feeds)
                feed.Record(_reading, now - _readAt);
            _readAt = now;
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
}
