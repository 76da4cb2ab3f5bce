using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Tunnel.Links.Host;

/// <summary>What is wanted of <see cref="HostNetwork.Resolve"/>; what is left out is found.</summary>
public sealed record HostQuery
{
    /// <summary>The server's address, for a client; null for a server, which answers whoever comes.</summary>
    public IPAddress? Remote { get; init; }

    /// <summary>Go by this interface.</summary>
    public string? Interface { get; init; }

    /// <summary>Use this local address.</summary>
    public IPAddress? LocalAddress { get; init; }

    /// <summary>Send to this MAC whatever the neighbour table says.</summary>
    public PhysicalAddress? RouterMac { get; init; }

    /// <summary>The family, when neither the remote nor the local address tells it.</summary>
    public AddressFamily Family { get; init; } = AddressFamily.InterNetwork;

    /// <summary>How long to wait for the next hop to say its MAC.</summary>
    public int NeighbourWaitMilliseconds { get; init; } = 2000;

    internal AddressFamily EffectiveFamily => Remote?.AddressFamily ?? LocalAddress?.AddressFamily ?? Family;
}

/// <summary>How packets leave this host: everything that goes into an Ethernet frame besides the peer's address.</summary>
/// <param name="Interface">The interface's name.</param>
/// <param name="Index">Its index.</param>
/// <param name="Mtu">Its MTU, or the route's if that is less.</param>
/// <param name="InterfaceMac">Its MAC; zero for loopback.</param>
/// <param name="LocalAddress">The source address.</param>
/// <param name="NextHop">The gateway, or the remote itself if that is on the link; null for a server without a default route.</param>
/// <param name="NextHopMac">The next hop's MAC; null if a server's gateway has not told it (a client's gateway has, or Resolve throws).</param>
/// <param name="IsLoopback">The frames stay in this host.</param>
public sealed record HostRoute(
    string Interface,
    int Index,
    int Mtu,
    PhysicalAddress InterfaceMac,
    IPAddress LocalAddress,
    IPAddress? NextHop,
    PhysicalAddress? NextHopMac,
    bool IsLoopback);

/// <summary>Whom to hand a frame to, on the way to some remote address; the MAC is null while nobody knows it.</summary>
public readonly record struct NextHop(IPAddress Address, PhysicalAddress? Mac);

/// <summary>An interface that packets leave by.</summary>
/// <param name="Interface">Its name.</param>
/// <param name="Mtu">Its MTU, or the route's if that is less.</param>
public readonly record struct OutgoingLink(string Interface, int Mtu);

/// <summary>An interface of this host.</summary>
public sealed record InterfaceInfo(
    string Name,
    int Index,
    PhysicalAddress Mac,
    int Mtu,
    bool IsUp,
    bool IsLoopback,
    bool IsEthernet,
    IReadOnlyList<IPAddress> Addresses,
    InterfaceOffloads Offloads);
