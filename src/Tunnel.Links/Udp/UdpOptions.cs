using System.Net;

namespace Tunnel.Links.Udp;

/// <summary>How a <see cref="UdpLink"/> listens.</summary>
public sealed record UdpOptions
{
    /// <summary>The local address; null for any, of both families where the host has IPv6.</summary>
    public IPAddress? Address { get; init; }

    /// <summary>The only interface that datagrams come and go by; null for whatever the routes say.</summary>
    public string? Interface { get; init; }

    /// <summary>The local port; 0 lets the kernel choose.</summary>
    public int Port { get; init; }

    /// <summary>Bytes the kernel may hold for this socket before it drops; beyond the system's limit only with CAP_NET_ADMIN.</summary>
    public int ReceiveBufferBytes { get; init; } = 8 << 20;

    /// <summary>Bytes the kernel may hold that are on their way out.</summary>
    public int SendBufferBytes { get; init; } = 8 << 20;

    /// <summary>
    /// Datagrams are not fragmented on their way, whatever the kernel has heard about the path: what is too long vanishes, which is how
    /// the path's MTU is found out. False: the kernel does as it likes.
    /// </summary>
    public bool DoNotFragment { get; init; }

    /// <summary>The kernel cuts runs of datagrams that are sent and merges those that come, as far as it can; nobody on the way sees it.</summary>
    public bool Offload { get; init; } = true;

    /// <summary>The differentiated services code point, 0 to 63, of what is sent.</summary>
    public int Dscp { get; init; }
}
