using Tunnel.App.Diagnostics.Metering;

namespace Tunnel.Tests.Diagnostics;

/// <summary>Names and units are a promise to whoever has dashboards and alarms: a change of this list is a change of that promise.</summary>
public class MetricNamesTests
{
    private const string Promised = """
        tunnel.link.packets {packet} counter
        tunnel.link.io By counter
        tunnel.link.send.errors {packet} counter
        tunnel.link.truncated {packet} counter
        tunnel.capture.drops {packet} counter
        tunnel.guard.checks {frame} counter
        tunnel.drops {datagram} counter
        tunnel.link.batch.size {frame} histogram
        tunnel.link.merged.size {datagram} histogram
        tunnel.flush.size {datagram} histogram
        tunnel.udp.flows {flow} level
        tunnel.udp.flows.ended {flow} counter
        tunnel.udp.datagrams {datagram} counter
        tunnel.udp.drops {datagram} counter
        tunnel.kcp.segments {segment} counter
        tunnel.kcp.retransmissions {segment} counter
        tunnel.kcp.duplicates {segment} counter
        tunnel.kcp.out_of_window {segment} counter
        tunnel.kcp.malformed {datagram} counter
        tunnel.kcp.dead_link {segment} counter
        tunnel.kcp.rtt s histogram
        tunnel.kcp.rto s histogram
        tunnel.kcp.in_flight {segment} level
        tunnel.kcp.in_flight.size By level
        tunnel.kcp.pacing_rate By/s level
        tunnel.kcp.window {segment} level
        tunnel.sessions {session} level
        tunnel.sessions.opened {session} counter
        tunnel.sessions.closed {session} counter
        tunnel.reconnects {session} counter
        tunnel.refusals {refusal} counter
        tunnel.memory By level
        tunnel.memory.limit By level
        tunnel.buffered By level
        tunnel.streams {stream} level
        tunnel.streams.opened {stream} counter
        tunnel.streams.closed {stream} counter
        tunnel.stream.io By counter
        tunnel.dial.duration s histogram
        tunnel.connections {connection} level
        tunnel.accept.errors {error} counter
        tunnel.defects {defect} counter
        process.cpu.time s counter
        process.memory.usage By level
        process.uptime s level
        dotnet.gc.collections {collection} counter
        dotnet.gc.pause.time s counter
        dotnet.gc.heap.total_allocated By counter
        dotnet.gc.heap.size By level
        dotnet.thread_pool.threads {thread} level
        dotnet.thread_pool.queue.length {work_item} level
        """;

    [Fact]
    public void NamesAndUnitsAreThosePromised() => Assert.Equal(Promised.Split('\n'), MetricCatalog.All.Select(Describe));

    [Fact]
    public void EveryMetricOfTheTunnelIsInTheRunbook()
    {
        string text = File.ReadAllText(Repository.PathOf("RUNBOOK.md"));
        string[] missing = [.. MetricCatalog.Tunnel.Select(m => m.Name).Where(name => !text.Contains($"`{name}`", StringComparison.Ordinal))];
        Assert.Empty(missing);
    }

    [Theory]
    [InlineData("tunnel.link.io", "tunnel_link_io_bytes_total")]
    [InlineData("tunnel.kcp.rtt", "tunnel_kcp_rtt_seconds")]
    [InlineData("tunnel.kcp.pacing_rate", "tunnel_kcp_pacing_rate_bytes_per_second")]
    [InlineData("tunnel.sessions", "tunnel_sessions")]
    [InlineData("process.cpu.time", "process_cpu_time_seconds_total")]
    public void InPrometheusUnitsAreInTheName(string name, string expected) =>
        Assert.Equal(expected, PrometheusText.NameOf(MetricCatalog.All.Single(m => m.Name == name)));

    private static string Describe(Metric metric)
    {
        string kind = metric is NumberMetric number ? number.Kind.ToString().ToLowerInvariant() : "histogram";
        return $"{metric.Name} {metric.Unit} {kind}";
    }
}
