using Tunnel.App.Config.Schema;

namespace Tunnel.App.Config.Loading;

/// <summary>A server's file.</summary>
internal static class ServerLoader
{
    public static ServerConfig Load(ConfigReader reader)
    {
        Setting<TransportProfile> profile = reader.Get(TransportKeys.Profile);
        Setting<int> port = reader.Require(EndKeys.ListenPort);
        Setting<int> ports = reader.Get(EndKeys.ListenPorts);
        if (port.State == SettingState.Good)
            PortRange.Check(reader, EndKeys.ListenPorts, ports, port.Value);
        HostPort? target = TargetLoader.Load(reader, EndKeys.ListenTarget, reader.FindTable("listen"), profile, isForKcptun: true);
        (NetworkConfig network, TransportConfig transport, LogConfig log) = TransportLoader.Load(reader, profile);
        return new ServerConfig
        {
            Port = port.Value,
            Ports = ports.Value,
            Target = target,
            Targets = new TargetPolicy(reader.Get(ServiceKeys.TargetsAllow).Value, reader.Get(ServiceKeys.TargetsDeny).Value),
            Reverse = new ReversePolicy(reader.Get(ServiceKeys.ReverseAllow).Value),
            Listeners = ClientLoader.LoadListeners(reader),
            Udp = UdpLoader.Load(reader),
            Network = network,
            Transport = transport,
            Log = log,
            Otlp = OtlpLoader.Load(reader),
            Debug = DebugLoader.Load(reader),
        };
    }
}
