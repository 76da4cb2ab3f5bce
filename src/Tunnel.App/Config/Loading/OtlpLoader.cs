using Tunnel.App.Config.Schema;

namespace Tunnel.App.Config.Loading;

/// <summary>What [debug] says about OpenTelemetry.</summary>
internal static class OtlpLoader
{
    public static OtlpConfig? Load(ConfigReader reader)
    {
        Setting<Uri> collector = reader.Get(OtlpKeys.Collector);
        OtlpTransport protocol = reader.Get(OtlpKeys.Protocol).Value;
        Setting<Secret> headers = reader.Get(OtlpKeys.Headers);
        if (headers.State == SettingState.Good && !AreHeaders(headers.Value.Reveal()))
            reader.Report(headers.Position, OtlpKeys.Headers, "this is not name=value", "name=value,name=value");
        return collector.State == SettingState.Good
            ? new OtlpConfig(collector.Value, protocol, headers.State == SettingState.Good ? headers.Value : null)
            : null;
    }

    private static bool AreHeaders(string text) =>
        text.Split(',').All(part => part.IndexOf('=') > 0 && !part.Any(char.IsControl));
}
