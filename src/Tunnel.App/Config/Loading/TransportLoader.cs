using Tunnel.App.Config.Schema;

namespace Tunnel.App.Config.Loading;

/// <summary>[transport], [network] and [log]: what both sides have. [network] is here because the profile decides about it.</summary>
internal static class TransportLoader
{
    public static (NetworkConfig Network, TransportConfig Transport, LogConfig Log) Load(
        ConfigReader reader,
        Setting<TransportProfile> profile)
    {
        Setting<int> conn = reader.Get(TransportKeys.Conn);
        var transport = new TransportConfig
        {
            Conn = conn.Value,
            Profile = profile.Value,
            Header = reader.Get(TransportKeys.Header).Value,
            OpenTimeout = reader.Get(TransportKeys.OpenTimeout).Value,
            DialTimeout = reader.Get(TransportKeys.DialTimeout).Value,
            Grace = reader.Get(TransportKeys.Grace).Value,
            Memory = reader.Get(TransportKeys.Memory).Value,
            Kcp = KcpLoader.Load(reader, profile.Value == TransportProfile.Kcptun),
        };
        var log = new LogConfig(reader.Get(TransportKeys.LogLevel).Value, reader.Get(TransportKeys.LogFormat).Value);
        int servers = Math.Max(1, reader.GetTablesOrOne("server").Count());
        return (NetworkLoader.Load(reader, profile, conn.Value * servers), transport, log);
    }
}
