using System.Net;
using System.Net.Sockets;
using Tunnel.App.Config;
using Tunnel.Links.Host;

namespace Tunnel.App.Hosting;

/// <summary>From what the file says and what the kernel knows to the addresses that a frame needs.</summary>
internal static class HostAddresses
{
    /// <summary>How to reach a server.</summary>
    /// <exception cref="Links.LinkException">There is no way (Network).</exception>
    public static HostRoute RouteTo(NetworkConfig network, IPAddress server)
    {
        AddressConfig family = FamilyOf(network, server.AddressFamily);
        return HostNetwork.Resolve(new HostQuery
        {
            Remote = server,
            Interface = network.Interface,
            LocalAddress = family.Address,
            RouterMac = family.RouterMac,
        });
    }

    /// <summary>The interface that a server listens on: the configured one, or the one that IPv4, else IPv6, leaves by.</summary>
    /// <exception cref="Links.LinkException">There is none (Network).</exception>
    public static HostRoute ServerRoute(NetworkConfig network)
    {
        try
        {
            return ServerRoute(network, AddressFamily.InterNetwork);
        }
        catch (Links.LinkException)
        {
            return ServerRoute(network, AddressFamily.InterNetworkV6);
        }
    }

    /// <summary>The addresses of an interface now, in a stable order.</summary>
    public static IReadOnlyList<IPAddress> AddressesOf(string interfaceName)
    {
        InterfaceInfo? found = HostNetwork.Interfaces().FirstOrDefault(i => i.Name == interfaceName);
        return found is null ? [] : [.. found.Addresses.OrderBy(a => a.ToString(), StringComparer.Ordinal)];
    }

    /// <summary>The address is this host's.</summary>
    public static bool IsOwn(IPAddress address) =>
        IPAddress.IsLoopback(address) || HostNetwork.Interfaces().Any(i => i.Addresses.Contains(address));

    public static AddressConfig FamilyOf(NetworkConfig network, AddressFamily family) =>
        family == AddressFamily.InterNetworkV6 ? network.IPv6 : network.IPv4;

    private static HostRoute ServerRoute(NetworkConfig network, AddressFamily family)
    {
        AddressConfig configured = FamilyOf(network, family);
        return HostNetwork.Resolve(new HostQuery
        {
            Interface = network.Interface,
            LocalAddress = configured.Address,
            RouterMac = configured.RouterMac,
            Family = family,
            NeighbourWaitMilliseconds = 0,
        });
    }
}
