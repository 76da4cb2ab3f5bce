using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tunnel.Bench.Contenders;
using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Lab;

namespace Tunnel.Bench.Loads;

/// <summary>HTTP by wrk, with wrk's own figures: what two tools agree on is not one tool's mistake.</summary>
internal sealed class WrkLoad : RaceLoad
{
    /// <summary>wrk's own summary, as JSON. Its times are whole microseconds.</summary>
    private const string Script = """
        done = function(summary, latency, requests)
            local errors = summary.errors
            io.write(string.format(
                '{"microseconds":%d,"requests":%d,"bytes":%d,"minimum":%.1f,"mean":%.1f,"deviation":%.1f,"maximum":%.1f,' ..
                '"median":%.1f,"p95":%.1f,"p99":%.1f,"p999":%.1f,"errors":%d}\n',
                summary.duration, summary.requests, summary.bytes, latency.min, latency.mean, latency.stdev, latency.max,
                latency:percentile(50), latency:percentile(95), latency:percentile(99), latency:percentile(99.9),
                errors.connect + errors.read + errors.write + errors.status + errors.timeout))
        end
        """;

    private readonly int _connections;

    public WrkLoad(string name, int connections, params RaceFigure[] figures)
        : base(name, figures)
    {
        _connections = connections;
        WatchesGarbage = true;
    }

    public override string? Lacks => Contender.Missing("wrk");

    public override async Task<Lap> MeasureAsync(LapConditions conditions, CancellationToken cancel)
    {
        string script = Path.Combine(conditions.Folder, "summary.lua");
        await File.WriteAllTextAsync(script, Script, cancel).ConfigureAwait(false);
        // It has no warm-up of its own.
        await RunAsync(conditions, WarmUp * conditions.WarmUpFactor, script, cancel).ConfigureAwait(false);
        string output = await RunAsync(conditions, conditions.Seconds, script, cancel).ConfigureAwait(false);
        string? line = Array.Find(output.Split('\n'), l => l.StartsWith('{'));
        return line is null ? throw new LabException($"wrk said nothing that is known:\n{output}") : new Lap(Parse(line), null);
    }

    internal static RoundResult Parse(string json)
    {
        WrkSummary s = JsonSerializer.Deserialize(json, WrkJson.Default.WrkSummary)!;
        var latency = new LatencyFacts(s.Requests, s.Minimum, s.Mean, s.Median, s.Deviation, s.P95, s.P99, s.P999, s.Maximum);
        var errors = new Dictionary<string, long>();
        if (s.Errors != 0)
            errors["wrk"] = s.Errors;
        return new RoundResult(
            s.Microseconds / 1e6, s.Requests, s.Bytes, 0, latency, LatencyFacts.Of(new LatencyHistogram()), errors, []);
    }

    private Task<string> RunAsync(LapConditions conditions, double seconds, string script, CancellationToken cancel) => LabProcess.RunAsync(
        conditions.Laid.Network.Client,
        cancel,
        "wrk",
        "-t1",
        $"-c{_connections}",
        string.Create(CultureInfo.InvariantCulture, $"-d{Math.Max(1, Math.Round(seconds))}s"),
        "-s",
        script,
        $"http://{conditions.Running.Target}/");
}

/// <summary>What the script writes.</summary>
internal sealed record WrkSummary(
    double Microseconds, long Requests, long Bytes, double Minimum, double Mean, double Deviation, double Maximum,
    double Median, double P95, double P99, double P999, long Errors);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(WrkSummary))]
internal sealed partial class WrkJson : JsonSerializerContext;
