using System.Net;

namespace Tunnel.App.Config;

/// <summary>Everything a client's file says. Valid: <see cref="ConfigLoader"/> makes no other.</summary>
public sealed record ClientConfig : IProcessConfig
{
    /// <summary>The tunnel servers; at least one, no two the same.</summary>
    public required IReadOnlyList<RemoteServerConfig> Servers { get; init; }

    /// <summary>The server that is used while it is up: of several alike the first of the file.</summary>
    public RemoteServerConfig FirstServer => Servers.MinBy(s => s.Priority)!;

    /// <summary>SOCKS5 listeners. There is at least one of these, a forward, or a reverse.</summary>
    public required IReadOnlyList<Socks5Config> Socks5 { get; init; }

    public required IReadOnlyList<ForwardConfig> Forward { get; init; }

    public required IReadOnlyList<ReverseConfig> Reverse { get; init; }

    /// <summary>What all listeners have in common.</summary>
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

/// <summary>How listeners stand a storm of connections.</summary>
/// <param name="Backlog">Connections that may wait to be accepted; null: as many as the kernel allows.</param>
/// <param name="Acceptors">Sockets that each listener accepts on; null: one a core.</param>
/// <param name="MaxConnections">Connections at one time, over all listeners.</param>
public readonly record struct ListenersConfig(int? Backlog, int? Acceptors, int MaxConnections);

/// <summary>A listener of either kind.</summary>
/// <param name="Listen">Port 0 is any free one.</param>
public abstract record ListenerConfig(IPEndPoint Listen);

/// <summary>A SOCKS5 listener.</summary>
/// <param name="Listen">Port 0 is any free one.</param>
/// <param name="Credentials">What users must present; null if anyone may use it.</param>
public sealed record Socks5Config(IPEndPoint Listen, Socks5Credentials? Credentials) : ListenerConfig(Listen);

public sealed record Socks5Credentials(Secret Username, Secret Password);

/// <summary>A listener whose connections all go to one target.</summary>
/// <param name="Listen">Port 0 is any free one.</param>
/// <param name="Target">Null with the kcptun profile, where the server knows the target.</param>
/// <param name="Protocol">What is forwarded.</param>
public sealed record ForwardConfig(IPEndPoint Listen, HostPort? Target, ForwardProtocol Protocol) : ListenerConfig(Listen);

/// <summary>A listener at the server whose connections all go to one target near the client.</summary>
/// <param name="Listen">The server's address.</param>
/// <param name="Target">As the client sees it.</param>
/// <param name="Protocol">What is carried.</param>
public sealed record ReverseConfig(IPEndPoint Listen, HostPort Target, ForwardProtocol Protocol);

public enum ForwardProtocol
{
    Tcp,
    Udp,
}
