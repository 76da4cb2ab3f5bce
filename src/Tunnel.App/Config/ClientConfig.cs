using System.Net;

namespace Tunnel.App.Config;

/// <summary>Everything a client's file says. Valid: <see cref="ConfigLoader"/> makes no other.</summary>
public sealed record ClientConfig
{
    /// <summary>The tunnel server.</summary>
    public required HostPort Server { get; init; }

    /// <summary>SOCKS5 listeners. There is at least one listener, of either kind.</summary>
    public required IReadOnlyList<Socks5Config> Socks5 { get; init; }

    public required IReadOnlyList<ForwardConfig> Forward { get; init; }

    /// <summary>What all listeners have in common.</summary>
    public required ListenersConfig Listeners { get; init; }

    public required NetworkConfig Network { get; init; }

    public required TransportConfig Transport { get; init; }

    public required LogConfig Log { get; init; }

    public required DebugConfig Debug { get; init; }
}

/// <summary>How listeners stand a storm of connections.</summary>
/// <param name="Backlog">Connections that may wait to be accepted; null: as many as the kernel allows.</param>
/// <param name="Acceptors">Sockets that each listener accepts on; null: one a core.</param>
/// <param name="MaxConnections">Connections at one time, over all listeners.</param>
public sealed record ListenersConfig(int? Backlog, int? Acceptors, int MaxConnections);

/// <summary>A SOCKS5 listener.</summary>
/// <param name="Listen">Port 0 is any free one.</param>
/// <param name="Credentials">What users must present; null if anyone may use it.</param>
public sealed record Socks5Config(IPEndPoint Listen, Socks5Credentials? Credentials);

public sealed record Socks5Credentials(Secret Username, Secret Password);

/// <summary>A listener whose connections all go to one target.</summary>
/// <param name="Listen">Port 0 is any free one.</param>
/// <param name="Target">Null with the kcptun profile, where the server knows the target.</param>
/// <param name="Protocol">What is forwarded.</param>
public sealed record ForwardConfig(IPEndPoint Listen, HostPort? Target, ForwardProtocol Protocol);

public enum ForwardProtocol
{
    Tcp,
    Udp,
}
