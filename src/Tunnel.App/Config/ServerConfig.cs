namespace Tunnel.App.Config;

/// <summary>Everything a server's file says. Valid: <see cref="ConfigLoader"/> makes no other.</summary>
public sealed record ServerConfig
{
    /// <summary>The port that clients send to.</summary>
    public required int Port { get; init; }

    /// <summary>Where every stream goes with the kcptun profile; null otherwise, when each stream names its target.</summary>
    public required HostPort? Target { get; init; }

    /// <summary>What clients may reach.</summary>
    public required TargetPolicy Targets { get; init; }

    public required NetworkConfig Network { get; init; }

    public required TransportConfig Transport { get; init; }

    public required LogConfig Log { get; init; }

    public required DebugConfig Debug { get; init; }
}
