using Tunnel.App.Config.Toml;

namespace Tunnel.App.Config.Schema;

/// <summary>The keys of [debug] that begin with otlp.</summary>
internal static class OtlpKeys
{
    private static readonly ConfigType<Uri> CollectorAddress = new(
        "an http or https address without path",
        value => value switch
        {
            TomlString text when IsAddress(text.Value) => Parsed<Uri>.Good(new Uri(text.Value)),
            TomlString text => Parsed<Uri>.Bad($"{BasicTypes.Quote(text.Value)} is none"),
            _ => Parsed<Uri>.Mismatch(value),
        });

    public static readonly ConfigKey<Uri> Collector = new("debug", "otlp", CollectorAddress)
    {
        Example = "\"http://127.0.0.1:4317\"",
        Doc = "An OpenTelemetry collector that metrics (meter Tunnel, each minute) and traces of stream set-up are sent to. Without it nothing is.",
    };

    public static readonly ConfigKey<OtlpTransport> Protocol = new(
        "debug", "otlp_protocol", BasicTypes.Choice(("grpc", OtlpTransport.Grpc), ("http", OtlpTransport.Http)))
    {
        Default = "\"grpc\"",
        Doc = "How the collector is spoken to; port 4317 is usually grpc's, 4318 http's (protobuf, below /v1/).",
    };

    public static readonly ConfigKey<Secret> Headers = new("debug", "otlp_headers", BasicTypes.Secret(4096))
    {
        Example = "\"authorization=Bearer replace-me\"",
        Doc = "What the collector wants to see with each request: name=value, several with commas between them.",
    };

    public static readonly IReadOnlyList<ConfigKey> All = [Collector, Protocol, Headers];

    private static bool IsAddress(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) && (uri.Scheme is "http" or "https") && uri.UserInfo.Length == 0
        && uri.PathAndQuery == "/" && uri.Fragment.Length == 0;
}
