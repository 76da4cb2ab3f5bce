using Tunnel.App.Config.Schema;

namespace Tunnel.App.Config.Loading;

/// <summary>A server's file.</summary>
internal static class ServerLoader
{
    public static ServerConfig Load(ConfigReader reader)
    {
        Setting<TransportProfile> profile = reader.Get(TransportKeys.Profile);
        int port = reader.Require(EndKeys.ListenPort).Value;
        HostPort? target = TargetLoader.Load(reader, EndKeys.ListenTarget, reader.FindTable("listen"), profile, isForKcptun: true);
        (NetworkConfig network, TransportConfig transport, LogConfig log) = TransportLoader.Load(reader, profile);
        return new ServerConfig
        {
            Port = port,
            Target = target,
            Targets = new TargetPolicy(reader.Get(ServiceKeys.TargetsAllow).Value, reader.Get(ServiceKeys.TargetsDeny).Value),
            Network = network,
            Transport = transport,
            Log = log,
            Debug = DebugLoader.Load(reader),
        };
    }
}
