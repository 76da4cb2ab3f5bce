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

/// <summary>Finds the way to a server and opens a link to it, for each try anew: routes and neighbours change.</summary>
internal sealed partial class ClientLinks(ClientConfig config, ILogger logger)
{
    private const int FirstRandomPort = 32768;

    /// <param name="server">An address of a server.</param>
    /// <param name="index">The connection's number: with a fixed port, that many above it.</param>
    /// <param name="cancel">Nobody wants it any more.</param>
    /// <exception cref="LinkException">There is no way, or the link cannot be opened.</exception>
    public ValueTask<OpenedLink> OpenAsync(IPEndPoint server, int index, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        int port = FixedPort(server.AddressFamily, index);
        return ValueTask.FromResult(config.Network.Link == LinkKind.Udp ? OpenUdp(server, port) : OpenEthernet(server, port));
    }

    private OpenedLink OpenUdp(IPEndPoint server, int port)
    {
        AddressConfig family = HostAddresses.FamilyOf(config.Network, server.AddressFamily);
        UdpLink link = UdpLink.Open(new UdpOptions
        {
            // Bound to the server's family, so that the addresses of what comes back compare equal.
            Address = family.Address ?? (server.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any),
            Port = port,
            Dscp = config.Network.Dscp,
        });
        return new OpenedLink(link, new DatagramCarrier(), DatagramCarrier.Open(link, server), Endpoint.FromIPEndPoint(server), null, null);
    }

    private OpenedLink OpenEthernet(IPEndPoint server, int fixedPort)
    {
        HostRoute route = HostAddresses.RouteTo(config.Network, server.Address);
        int port = fixedPort != 0 ? fixedPort : Random.Shared.Next(FirstRandomPort, 65536);
        IPacketLink link = EthernetLinks.Open(config.Network, route.Interface, new PortSpan(port), logger);
        try
        {
            var carrier = new TcpCarrier(config.Network.Dscp, config.Network.Tcp.Local);
            PeerPath path = carrier.Open(link, AddressesOf(route, port, server), FixedRouter(server.AddressFamily));
            return new OpenedLink(
                link, carrier, path, Endpoint.FromIPEndPoint(server), StartFirewall(route, port, server.Port), () => FindWay(route, port, server));
        }
        catch
        {
            link.Dispose();
            throw;
        }
    }

    private FlowAddresses? FindWay(HostRoute opened, int port, IPEndPoint server)
    {
        HostRoute now = HostAddresses.RouteTo(config.Network, server.Address);
        bool same = now.Index == opened.Index && now.LocalAddress.Equals(opened.LocalAddress) && now.InterfaceMac.Equals(opened.InterfaceMac);
        return same ? AddressesOf(now, port, server) : null;
    }

    /// <summary>The port that the file tells this connection to use; 0 for any.</summary>
    private int FixedPort(AddressFamily family, int index)
    {
        int first = HostAddresses.FamilyOf(config.Network, family).Port;
        if (first == 0 || first + index <= ushort.MaxValue)
            return first == 0 ? 0 : first + index;
        throw new LinkException(LinkFault.Network, $"no port is left from {first} on for connection {index}: lower the port in [network], or make it 0");
    }

    private bool FixedRouter(AddressFamily family) => HostAddresses.FamilyOf(config.Network, family).RouterMac is not null;

    private FirewallKeeper? StartFirewall(HostRoute route, int port, int serverPort)
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
            RemotePort = serverPort,
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
