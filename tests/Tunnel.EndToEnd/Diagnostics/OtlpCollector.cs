using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Tunnel.EndToEnd.Diagnostics;

/// <summary>An OpenTelemetry collector that keeps what it is sent: OTLP's protobuf over HTTP, or over gRPC.</summary>
internal sealed class OtlpCollector : IAsyncDisposable
{
    /// <summary>gRPC's frame: a byte that says whether it is compressed, and the length, u32 BE.</summary>
    private const int GrpcPrefix = 5;

    private readonly WebApplication _app;
    private readonly bool _isGrpc;
    private readonly ConcurrentQueue<OtlpRequest> _requests = new();

    private OtlpCollector(WebApplication app, bool isGrpc) => (_app, _isGrpc) = (app, isGrpc);

    public string Address => _app.Urls.Single();

    public string Traces => _isGrpc ? "/opentelemetry.proto.collector.trace.v1.TraceService/Export" : "/v1/traces";

    public string Metrics => _isGrpc ? "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" : "/v1/metrics";

    /// <param name="protocol">As in debug.otlp_protocol: http or grpc.</param>
    public static async Task<OtlpCollector> StartAsync(string protocol = "http")
    {
        bool isGrpc = protocol == "grpc";
        WebApplicationBuilder builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        // Without TLS there is nothing to agree on a version by: gRPC's is HTTP/2 from its first byte.
        builder.WebHost.UseKestrelCore().ConfigureKestrel(
            k => k.Listen(IPAddress.Loopback, 0, e => e.Protocols = isGrpc ? HttpProtocols.Http2 : HttpProtocols.Http1));
        var collector = new OtlpCollector(builder.Build(), isGrpc);
        collector._app.Run(collector.TakeAsync);
        await collector._app.StartAsync();
        return collector;
    }

    /// <summary>Something was sent to this path that holds all of these texts.</summary>
    public bool Has(string path, params string[] texts) =>
        _requests.Any(r => r.Path == path && texts.All(t => r.Body.AsSpan().IndexOf(Encoding.UTF8.GetBytes(t)) >= 0));

    /// <summary>What was sent as this header, with each request.</summary>
    public string[] Headers(string name) => [.. _requests.Select(r => r.Headers.GetValueOrDefault(name, ""))];

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task TakeAsync(HttpContext context)
    {
        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        byte[] message = _isGrpc ? Unframe(body.ToArray()) : body.ToArray();
        _requests.Enqueue(new OtlpRequest(
            context.Request.Path, message, context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
        context.Response.ContentType = _isGrpc ? "application/grpc" : "application/x-protobuf";
        if (!_isGrpc)
            return;
        // An empty answer, and that all is well.
        await context.Response.Body.WriteAsync(new byte[GrpcPrefix]);
        context.Response.AppendTrailer("grpc-status", "0");
    }

    /// <summary>The one message of a call.</summary>
    private static byte[] Unframe(byte[] body)
    {
        Assert.Equal(0, body[0]);
        Assert.Equal(body.Length - GrpcPrefix, BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(1)));
        return body[GrpcPrefix..];
    }

    private sealed record OtlpRequest(string Path, byte[] Body, Dictionary<string, string> Headers);
}
