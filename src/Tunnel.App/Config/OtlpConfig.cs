namespace Tunnel.App.Config;

/// <summary>Where metrics and traces are sent, in OpenTelemetry's protocol.</summary>
/// <param name="Collector">Its address, without a path.</param>
/// <param name="Protocol">How it is spoken to.</param>
/// <param name="Headers">name=value,name=value; null if there are none.</param>
public sealed record OtlpConfig(Uri Collector, OtlpTransport Protocol, Secret? Headers);

public enum OtlpTransport
{
    Grpc,
    Http,
}
