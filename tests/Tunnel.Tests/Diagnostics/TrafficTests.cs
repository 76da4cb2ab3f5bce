using System.Diagnostics.Metrics;
using Tunnel.App.Diagnostics.Metering;
using Tunnel.App.Runtime;
using Tunnel.Protocol.Mux;

namespace Tunnel.Tests.Diagnostics;

/// <summary>What was carried is what is counted, at both ends; counters outlive sessions and links.</summary>
public class TrafficTests
{
    private const int Bytes = 300_000;
    private const int Limit = 60_000;

    [Fact(Timeout = Limit)]
    public async Task BothEndsCountWhatTheyCarried()
    {
        await using MeasuredPair pair = await MeasuredPair.StartAsync();
        await pair.ExchangeAsync(Bytes);
        await EndedAsync(() => pair.Client().Sum("tunnel_streams") + pair.Server().Sum("tunnel_streams") == 0);
        PrometheusParser client = pair.Client(), server = pair.Server();

        // Besides the echo there are the words between the two ends, a few bytes.
        Assert.InRange(client.Sum("tunnel_stream_io_bytes_total", "out"), Bytes, Bytes + 200);
        Assert.InRange(client.Sum("tunnel_stream_io_bytes_total", "in"), Bytes, Bytes + 200);
        Assert.Equal(client.Sum("tunnel_stream_io_bytes_total", "out"), server.Sum("tunnel_stream_io_bytes_total", "in"));
        Assert.Equal(client.Sum("tunnel_streams_opened_total", "own"), server.Sum("tunnel_streams_opened_total", "peer"));
        Assert.Equal(2, server.Sum("tunnel_streams_closed_total"));
        Assert.Equal(1, server.Sum("tunnel_dial_duration_seconds_count", "connected"));
        Assert.Equal(1, client.Sum("tunnel_dial_duration_seconds_count", "connected"));
        Assert.Equal(1, server.Sum("tunnel_sessions"));
        Assert.Equal(0, client.Sum("tunnel_connections"));

        foreach (PrometheusParser end in new[] { client, server })
        {
            Assert.True(end.Sum("tunnel_kcp_segments_total", "out") >= Bytes / 9216.0);
            Assert.True(end.Sum("tunnel_link_io_bytes_total", "in") > Bytes);
            Assert.True(end.Sum("tunnel_guard_checks_total", "pass") >= Bytes / 65_000.0);
            Assert.True(end.Sum("tunnel_kcp_rtt_seconds_count") > 0);
            Assert.Equal(end.Sum("tunnel_kcp_rtt_seconds_count"), end.Sum("tunnel_kcp_rto_seconds_count"));
            Assert.True(end.Sum("tunnel_flush_size_count") > 0);
            Assert.True(end.Sum("tunnel_flush_size_sum") <= end.Sum("tunnel_link_packets_total", "out"));
            Assert.True(end.Sum("tunnel_link_batch_size_count") > 0);
            Assert.Equal(0, end.Sum("tunnel_drops_total"));
        }
    }

    [Fact(Timeout = Limit)]
    public async Task WhatASessionDidOutlivesIt()
    {
        await using MeasuredPair pair = await MeasuredPair.StartAsync();
        await pair.ExchangeAsync(Bytes);
        PrometheusParser before = pair.Server();
        PeerSession old = pair.Tunnel.Client.Connections[0].Session!;
        old.Close(CloseReason.Local);
        await EndedAsync(() => pair.Tunnel.Client.Connections[0] is { Connects: 2, Session.IsClosed: false });
        await pair.ExchangeAsync(Bytes);
        PrometheusParser after = pair.Server(), client = pair.Client();

        foreach ((string series, double value) in before.Series.Where(s => s.Key.Contains("_total") || s.Key.Contains("_bucket")))
            Assert.True(after.Series[series] >= value, $"{series} went back from {value} to {after.Series[series]}");
        Assert.True(after.Sum("tunnel_stream_io_bytes_total", "in") >= 2 * Bytes);
        Assert.True(client.Sum("tunnel_link_io_bytes_total", "out") >= 2 * Bytes);
        Assert.Equal(1, client.Sum("tunnel_sessions_closed_total", "reason=\"local\""));
        Assert.Equal(1, client.Sum("tunnel_reconnects_total"));
        Assert.Equal(2, client.Sum("tunnel_sessions_opened_total"));
        Assert.Equal(1, client.Sum("tunnel_sessions"));
    }

    /// <summary>As dotnet-counters listens.</summary>
    [Fact(Timeout = Limit)]
    public async Task AListenerOfTheMeterHearsTheSame()
    {
        await using MeasuredPair pair = await MeasuredPair.StartAsync();
        using var meter = new TunnelMeter(pair.Tunnel.Client);
        using var heard = new Hearing();
        heard.Collect();
        await pair.ExchangeAsync(Bytes);
        await EndedAsync(() =>
        {
            heard.Collect();
            return heard.Numbers.GetValueOrDefault("tunnel.stream.io out") >= Bytes && heard.Histograms.ContainsKey("tunnel.kcp.rtt");
        });
        // On a slow machine a collection may begin with one reading and end with the next: the one after that is all new.
        await Task.Delay(TunnelMeter.Freshness * 2, TestContext.Current.CancellationToken);
        heard.Collect();
        Assert.Equal(1, heard.Numbers["tunnel.sessions"]);
        Assert.True(heard.Numbers["tunnel.link.packets in,udp"] > 0);
        Assert.All(heard.Histograms["tunnel.kcp.rtt"], seconds => Assert.InRange(seconds, 0, 60));
        Assert.Single(heard.Histograms["tunnel.dial.duration connected"]);
        Assert.Equal(MetricCatalog.Tunnel.Select(m => $"{m.Name} {m.Unit}").Order(), heard.Instruments.Order());
    }

    private static async Task EndedAsync(Func<bool> condition)
    {
        while (!condition())
            await Task.Delay(20, TestContext.Current.CancellationToken);
    }

    private sealed class Hearing : IDisposable
    {
        private readonly MeterListener _listener = new();

        public Hearing()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name != TunnelMeter.Name)
                    return;
                Instruments.Add($"{instrument.Name} {instrument.Unit}");
                listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((i, value, tags, _) => Numbers[Key(i, tags)] = value);
            _listener.SetMeasurementEventCallback<double>((i, value, tags, _) => Values(Key(i, tags)).Add(value));
            _listener.Start();
        }

        public List<string> Instruments { get; } = [];

        public Dictionary<string, long> Numbers { get; } = [];

        public Dictionary<string, List<double>> Histograms { get; } = [];

        public void Collect() => _listener.RecordObservableInstruments();

        public void Dispose() => _listener.Dispose();

        private List<double> Values(string key)
        {
            lock (Histograms)
            {
                if (!Histograms.TryGetValue(key, out List<double>? values))
                    Histograms[key] = values = [];
                return values;
            }
        }

        private static string Key(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            List<string> words = [];
            foreach (KeyValuePair<string, object?> tag in tags)
                words.Add($"{tag.Value}");
            return words.Count == 0 ? instrument.Name : $"{instrument.Name} {string.Join(',', words)}";
        }
    }
}
