using Tunnel.App.Config;

namespace Tunnel.App.Services;

/// <summary>The bounds of relays of datagrams.</summary>
public sealed record UdpLimits
{
    /// <summary>A flow without a datagram either way for this long ends; RFC 4787 allows no less.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>What nobody ever answered is least likely to be missed; as Linux's conntrack has it.</summary>
    public TimeSpan Unanswered { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>An exchange that is over is only kept for what comes late.</summary>
    public TimeSpan Answered { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Flows of a client, or of a server's reverse forward, at a time.</summary>
    public int MaxFlows { get; init; } = 512;

    /// <summary>Associations of a SOCKS5 listener at a time.</summary>
    public int Associations { get; init; } = 256;

    /// <summary>Datagrams of a flow that wait for the tunnel.</summary>
    public int Queue { get; init; } = 256;

    /// <param name="udp">What the file says.</param>
    /// <param name="streams">Streams that those who open them may have, to one server: half of them are left to connections.</param>
    public static UdpLimits Of(UdpConfig udp, long streams) => new()
    {
        Idle = udp.Idle,
        Answered = udp.AnsweredIdle,
        MaxFlows = udp.MaxFlows ?? (int)Math.Clamp(streams / 2, 1, int.MaxValue),
        Associations = udp.MaxAssociations,
    };
}
