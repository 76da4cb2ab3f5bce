using Tunnel.App.Config.Schema;
using Tunnel.App.Config.Toml;

namespace Tunnel.App.Config.Loading;

/// <summary>Who says where streams go: the client with paqet's profile, the server with kcptun's. The other must not.</summary>
internal static class TargetLoader
{
    public static HostPort? Load(
        ConfigReader reader,
        ConfigKey<HostPort> key,
        TomlTable? table,
        Setting<TransportProfile> profile,
        bool isForKcptun)
    {
        if (!profile.IsSound)
            return reader.Get(key, table).Value;

        bool isKcptun = profile.Value == TransportProfile.Kcptun;
        if (isKcptun == isForKcptun)
            return reader.Require(key, table).Value;

        Setting<HostPort> target = reader.Get(key, table);
        if (target.IsSet)
            reader.Report(target.Position, key, Explain(isKcptun));
        return null;
    }

    private static string Explain(bool isKcptun) => isKcptun
        ? "with transport.profile = \"kcptun\" the server's file says where streams go, in [listen] target"
        : "each stream names its own target, except with transport.profile = \"kcptun\"";
}
