namespace Tunnel.App.Config;

/// <summary>Everything a server's file says. Valid: <see cref="ConfigLoader"/> makes no other.</summary>
public sealed record ServerConfig : IProcessConfig
{
    /// <summary>The port that clients send to.</summary>
    public required int Port { get; init; }

    /// <summary>How many consecutive ports, from that one on.</summary>
    public required int Ports { get; init; }

    /// <summary>Where every stream goes with the kcptun profile; null otherwise, when each stream names its target.</summary>
    public required HostPort? Target { get; init; }

    /// <summary>What clients may reach.</summary>
    public required TargetPolicy Targets { get; init; }

    /// <summary>Where clients may have this server listen; empty: nowhere.</summary>
    public required ReversePolicy Reverse { get; init; }

    /// <summary>What the listeners of reverse forwards have in common.</summary>
    public required ListenersConfig Listeners { get; init; }

    /// <summary>How flows of datagrams are kept.</summary>
    public required UdpConfig Udp { get; init; }

    public required NetworkConfig Network { get; init; }

    public required TransportConfig Transport { get; init; }

    public required LogConfig Log { get; init; }

    /// <summary>Where metrics and traces are sent; null: nowhere.</summary>
    public OtlpConfig? Otlp { get; init; }

    public required DebugConfig Debug { get; init; }
}
