namespace Tunnel.App.Services;

/// <summary>The bounds of relays of datagrams.</summary>
public sealed record UdpLimits
{
    /// <summary>A flow without a datagram either way for this long ends; as long as paqet's server keeps one.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Clients of a forwarded port at a time.</summary>
    public int FlowsOfForward { get; init; } = 1024;

    /// <summary>Associations of a SOCKS5 listener at a time.</summary>
    public int Associations { get; init; } = 256;

    /// <summary>Targets of an association at a time.</summary>
    public int FlowsOfAssociation { get; init; } = 256;

    /// <summary>Datagrams of a flow that wait for the tunnel.</summary>
    public int Queue { get; init; } = 256;
}
