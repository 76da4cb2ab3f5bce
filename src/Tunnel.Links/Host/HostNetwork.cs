using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Tunnel.Links.Host.Netlink;
using Tunnel.Links.Native;

namespace Tunnel.Links.Host;

/// <summary>
/// Finds, in the kernel's routes, addresses and neighbours, what a person would otherwise have to put into the configuration. Nothing is
/// kept between calls: <see cref="HostNetworkMonitor"/> says when to ask again.
/// </summary>
public static class HostNetwork
{
    /// <summary>
    /// For a client the route to the server. For a server the default route of the family, else the only interface that could be meant.
    /// May wait for the next hop's MAC. Throws <see cref="LinkException"/> (Network) that says what is missing.
    /// </summary>
    public static HostRoute Resolve(HostQuery query)
    {
        using var kernel = new NetlinkQueries();
        var view = new HostView(kernel.Links(), kernel.Addresses());
        return query.Remote is { } remote ? ForClient(kernel, view, query, remote) : ForServer(kernel, view, query);
    }

    /// <summary>
    /// Whom a server hands the frames for this remote: a gateway, or the remote itself on the link. Two questions to the kernel, some
    /// tens of microseconds. Without waiting the MAC may come back null once; asking provokes its discovery, so that it is known soon.
    /// </summary>
    public static NextHop ResolveNextHop(HostRoute route, IPAddress remote, int waitMilliseconds = 0)
    {
        if (route.IsLoopback)
            return new NextHop(remote, EthernetAddress.Zero);

        using var kernel = new NetlinkQueries();
        RouteEntry entry = kernel.RouteTo(remote, route.Index, null, out int error) ?? throw NoRoute(remote, route.Interface, error);
        IPAddress hop = entry.Gateway ?? remote;
        return new NextHop(hop, NeighbourLookup.Find(kernel, route.Interface, route.Index, hop, waitMilliseconds));
    }

    /// <summary>
    /// The interface that packets to this remote leave by, and the longest that go there; null when there is no route, or it is not told. Asks nobody but
    /// the kernel.
    /// </summary>
    /// <param name="remote">Where to.</param>
    /// <param name="interfaceName">The only one that they may leave by; null for any.</param>
    public static OutgoingLink? LinkTowards(IPAddress remote, string? interfaceName = null)
    {
        try
        {
            using var kernel = new NetlinkQueries();
            List<LinkEntry> links = kernel.Links();
            int only = interfaceName is null ? 0 : links.FirstOrDefault(l => l.Name == interfaceName).Index;
            if (kernel.RouteTo(remote.IsIPv4MappedToIPv6 ? remote.MapToIPv4() : remote, only, null, out _) is not { } route)
                return null;
            LinkEntry link = links.FirstOrDefault(l => l.Index == route.Index);
            return link == default ? null : new OutgoingLink(link.Name, MtuOf(link, route.Mtu));
        }
        catch (LinkException)
        {
            // A host that does not tell is one more that is not known.
            return null;
        }
    }

    /// <summary>The interfaces of this host.</summary>
    public static IReadOnlyList<InterfaceInfo> Interfaces()
    {
        using var kernel = new NetlinkQueries();
        List<AddressEntry> addresses = kernel.Addresses();
        return [.. kernel.Links().Select(link => new InterfaceInfo(
            link.Name,
            link.Index,
            link.Mac,
            link.Mtu,
            link.Up,
            link.HardwareType == Rtnetlink.ARPHRD_LOOPBACK,
            link.HardwareType == Rtnetlink.ARPHRD_ETHER,
            [.. addresses.Where(a => a.Index == link.Index).Select(a => a.Address)],
            InterfaceProbe.Offloads(link.Name)))];
    }

    private static HostRoute ForClient(NetlinkQueries kernel, HostView view, HostQuery query, IPAddress remote)
    {
        LinkEntry? wanted = view.Wanted(query);
        RouteEntry entry = kernel.RouteTo(remote, wanted?.Index ?? 0, view.KnownSource(query), out int error)
            ?? throw NoRoute(remote, query.Interface, error);
        if (entry.Kind is not (Rtnetlink.RTN_UNICAST or Rtnetlink.RTN_LOCAL))
            throw NoRoute(remote, query.Interface, Linux.ENETUNREACH);

        LinkEntry link = view.Usable(entry.Index);
        IPAddress source = query.LocalAddress ?? entry.Source ?? view.AddressOf(link, remote.AddressFamily);
        if (link.HardwareType == Rtnetlink.ARPHRD_LOOPBACK)
            return new HostRoute(link.Name, link.Index, MtuOf(link, entry.Mtu), EthernetAddress.Zero, source, remote, EthernetAddress.Zero, true);

        IPAddress hop = entry.Gateway ?? remote;
        PhysicalAddress mac = query.RouterMac
            ?? NeighbourLookup.Find(kernel, link.Name, link.Index, hop, query.NeighbourWaitMilliseconds)
            ?? throw new LinkException(
                LinkFault.Network,
                $"{hop}, the next hop to {remote} on {link.Name}, does not say its MAC (no answer to ARP or neighbour discovery within "
                + $"{query.NeighbourWaitMilliseconds} ms): is it there? Otherwise configure the router's MAC");
        return new HostRoute(link.Name, link.Index, MtuOf(link, entry.Mtu), link.Mac, source, hop, mac, false);
    }

    private static HostRoute ForServer(NetlinkQueries kernel, HostView view, HostQuery query)
    {
        AddressFamily family = query.EffectiveFamily;
        LinkEntry? wanted = view.Wanted(query);
        RouteEntry? route = DefaultRoute(kernel.Routes(family), wanted?.Index);
        LinkEntry link = view.Usable(wanted?.Index ?? route?.Index ?? view.OnlyCandidate(family).Index);
        IPAddress source = query.LocalAddress ?? route?.Source ?? view.AddressOf(link, family);
        if (link.HardwareType == Rtnetlink.ARPHRD_LOOPBACK)
            return new HostRoute(link.Name, link.Index, link.Mtu, EthernetAddress.Zero, source, null, EthernetAddress.Zero, true);

        IPAddress? gateway = route?.Gateway;
        PhysicalAddress? mac = query.RouterMac;
        if (mac is null && gateway is not null)
            mac = NeighbourLookup.Find(kernel, link.Name, link.Index, gateway, query.NeighbourWaitMilliseconds);
        return new HostRoute(link.Name, link.Index, MtuOf(link, route?.Mtu ?? 0), link.Mac, source, gateway, mac, false);
    }

    /// <summary>The default route with the lowest metric; one of the main table before one that only some rule leads to.</summary>
    internal static RouteEntry? DefaultRoute(IEnumerable<RouteEntry> routes, int? index)
    {
        RouteEntry[] candidates =
        [
            .. routes.Where(r => r.PrefixLength == 0 && r.Kind == Rtnetlink.RTN_UNICAST && r.Index > 0 && (index is null || r.Index == index))
                .OrderBy(r => r.Table == Rtnetlink.RT_TABLE_MAIN ? 0 : 1)
                .ThenBy(r => r.Metric),
        ];
        return candidates.Length > 0 ? candidates[0] : null;
    }

    private static int MtuOf(LinkEntry link, int routeMtu) => routeMtu > 0 ? Math.Min(routeMtu, link.Mtu) : link.Mtu;

    private static LinkException NoRoute(IPAddress remote, string? interfaceName, int error)
    {
        string by = interfaceName is null ? string.Empty : $" by {interfaceName}";
        return new LinkException(
            LinkFault.Network,
            $"there is no route to {remote}{by} ({Libc.Describe(error)}): `ip route get {remote}` should show one");
    }
}
