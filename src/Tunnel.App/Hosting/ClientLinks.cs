using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Links.Host;
using Tunnel.Links.Udp;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Hosting;

/// <summary>Finds the way to the server and opens a link to it, for each try anew: names, routes and neighbours change.</summary>
internal sealed partial class ClientLinks(ClientConfig config, ILogger logger)
{
    private const int FirstRandomPort = 32768;

    /// <exception cref="LinkException">There is no way, or the link cannot be opened.</exception>
    /// <exception cref="SocketException">The server's name does not resolve.</exception>
    public async ValueTask<OpenedLink> OpenAsync(CancellationToken cancel)
    {
        IPAddress address = config.Server.Literal ?? await ResolveAsync(config.Server.Host, cancel).ConfigureAwait(false);
        var server = new IPEndPoint(address, config.Server.Port);
        return config.Network.Link == LinkKind.Udp ? OpenUdp(server) : OpenEthernet(server);
    }

    private static async Task<IPAddress> ResolveAsync(string name, CancellationToken cancel)
    {
        IPAddress[] addresses = await Dns.GetHostAddressesAsync(name, cancel).ConfigureAwait(false);
        return addresses.Length != 0 ? addresses[0] : throw new LinkException(LinkFault.Network, $"{name} has no address");
    }

    private OpenedLink OpenUdp(IPEndPoint server)
    {
        AddressConfig family = HostAddresses.FamilyOf(config.Network, server.AddressFamily);
        UdpLink link = UdpLink.Open(new UdpOptions
        {
            // Bound to the server's family, so that the addresses of what comes back compare equal.
            Address = family.Address ?? (server.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any),
            Port = family.Port,
            Dscp = config.Network.Dscp,
        });
        var standing = new ReplaceableLink(link);
        PeerPath path = DatagramCarrier.Open(standing, server);
        return new OpenedLink(standing, new DatagramCarrier(), path, Endpoint.FromIPEndPoint(server), null, null);
    }

    private OpenedLink OpenEthernet(IPEndPoint server)
    {
        HostRoute route = HostAddresses.RouteTo(config.Network, server.Address);
        int port = LocalPort(server.AddressFamily);
        var link = new ReplaceableLink(EthernetLinks.Open(config.Network, route.Interface, port, logger));
        try
        {
            var carrier = new TcpCarrier(config.Network.Dscp, config.Network.Tcp.Local);
            PeerPath path = carrier.Open(link, AddressesOf(route, port, server), FixedRouter(server.AddressFamily));
            return new OpenedLink(
                link, carrier, path, Endpoint.FromIPEndPoint(server), StartFirewall(route, port), () => FindWay(link, route, port, server));
        }
        catch
        {
            link.Dispose();
            throw;
        }
    }

    private FlowAddresses? FindWay(ReplaceableLink link, HostRoute opened, int port, IPEndPoint server)
    {
        HostRoute now = HostAddresses.RouteTo(config.Network, server.Address);
        if (now.Interface != opened.Interface || !now.LocalAddress.Equals(opened.LocalAddress))
            return null;
        if (link.IsBroken)
            link.Replace(EthernetLinks.Open(config.Network, now.Interface, port, logger));
        return AddressesOf(now, port, server);
    }

    private int LocalPort(AddressFamily family)
    {
        int port = HostAddresses.FamilyOf(config.Network, family).Port;
        return port != 0 ? port : Random.Shared.Next(FirstRandomPort, 65536);
    }

    private bool FixedRouter(AddressFamily family) => HostAddresses.FamilyOf(config.Network, family).RouterMac is not null;

    private FirewallKeeper? StartFirewall(HostRoute route, int port)
    {
        if (!config.Network.Firewall)
            return null;
        foreach (string name in Firewall.CleanUpStale())
            LogCleaned(logger, name);
        var rules = new FirewallRules
        {
            Role = FirewallRole.Client,
            FirstPort = port,
            LocalAddresses = [route.LocalAddress],
            RemotePort = config.Server.Port,
        };
        return FirewallKeeper.Start(() => rules, logger);
    }

    private static FlowAddresses AddressesOf(HostRoute route, int port, IPEndPoint server) => new(
        MacAddress.FromBytes(route.InterfaceMac.GetAddressBytes()),
        MacAddress.FromBytes(route.NextHopMac!.GetAddressBytes()),
        Endpoint.FromIPEndPoint(new IPEndPoint(route.LocalAddress, port)),
        Endpoint.FromIPEndPoint(server));

    [LoggerMessage(Level = LogLevel.Information, Message = "removed the firewall rules {Name} that a dead process left")]
    private static partial void LogCleaned(ILogger logger, string name);
}
