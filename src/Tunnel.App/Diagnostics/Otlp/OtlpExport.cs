using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Tunnel.App.Config;
using Tunnel.App.Runtime;

namespace Tunnel.App.Diagnostics.Otlp;

/// <summary>Sends the meter and the traces "Tunnel" to an OpenTelemetry collector until disposed, which sends what is left.</summary>
public sealed class OtlpExport : IDisposable
{
    private const string MeterName = "Tunnel";

    /// <summary>A collector that is gone must not hold up the end of the process.</summary>
    private const int LastWords = 2000;

    private readonly TracerProvider _traces;
    private readonly MeterProvider _metrics;

    /// <param name="config">Where to.</param>
    /// <param name="service">What this process is called there.</param>
    /// <param name="version">Its version.</param>
    public OtlpExport(OtlpConfig config, string service, string version)
    {
        // The host first, so that OTEL_RESOURCE_ATTRIBUTES can say it better: what is random in an instance's name tells nobody which one it is.
        ResourceBuilder resource = ResourceBuilder.CreateEmpty()
            .AddAttributes([new("host.name", Environment.MachineName), new("process.pid", (long)Environment.ProcessId)])
            .AddTelemetrySdk()
            .AddEnvironmentVariableDetector()
            .AddService(service, serviceVersion: version);
        _traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource(TunnelActivities.Name)
            .AddOtlpExporter(o => Configure(o, config, "v1/traces"))
            .Build();
        _metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter(MeterName)
            .AddOtlpExporter(o => Configure(o, config, "v1/metrics"))
            .Build();
    }

    public void Dispose()
    {
        _metrics.Shutdown(LastWords);
        _traces.Shutdown(LastWords);
        _metrics.Dispose();
        _traces.Dispose();
    }

    private static void Configure(OtlpExporterOptions options, OtlpConfig config, string path)
    {
        bool isHttp = config.Protocol == OtlpTransport.Http;
        options.Protocol = isHttp ? OtlpExportProtocol.HttpProtobuf : OtlpExportProtocol.Grpc;
        options.Endpoint = isHttp ? new Uri(config.Collector, path) : config.Collector;
        options.Headers = config.Headers?.Reveal();
    }
}
