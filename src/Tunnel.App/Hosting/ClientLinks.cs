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

    private readonly MtuCheck _mtu = new(config.Transport.Kcp, logger);

    // Firewall tools are slow and take turns anyway: so the first of many connections is up before the last one asks.
    private readonly SemaphoreSlim _turn = new(1);
    private readonly FirewallProblems _problems = new(logger);
    private bool _cleaned;

    /// <param name="server">An address of a server.</param>
    /// <param name="index">The connection's number: with a fixed port, that many above it.</param>
    /// <param name="cancel">Nobody wants it any more.</param>
    /// <exception cref="LinkException">There is no way, or the link cannot be opened.</exception>
    public async ValueTask<OpenedLink> OpenAsync(IPEndPoint server, int index, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        int port = FixedPort(server.AddressFamily, index);
        if (config.Network.Link == LinkKind.Udp)
            return OpenUdp(server, port);
        HostRoute route = HostAddresses.RouteTo(config.Network, server.Address);
        Claim claim = await ClaimAsync(route, port, server, cancel).ConfigureAwait(false);
        // A handshake waits for its answer.
        return config.Network.Tcp.Handshake ? await Task.Run(() => OpenEthernet(claim, server, cancel), CancellationToken.None).ConfigureAwait(false)
            : OpenEthernet(claim, server, cancel);
    }

    private OpenedLink OpenUdp(IPEndPoint server, int port)
    {
        AddressConfig family = HostAddresses.FamilyOf(config.Network, server.AddressFamily);
        RequireAnother(server, family, port);
        var carrier = new DatagramCarrier();
        if (HostNetwork.LinkTowards(server.Address, config.Network.Interface) is { } outgoing)
            _mtu.Require(outgoing, carrier, server.AddressFamily);
        UdpLink link = UdpLink.Open(new UdpOptions
        {
            // Bound to the server's family, so that the addresses of what comes back compare equal.
            Address = family.Address ?? (server.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any),
            Port = port,
            Interface = config.Network.Interface,
            Dscp = config.Network.Dscp,
            DoNotFragment = config.Transport.Kcp.Mtu is null,
            Offload = config.Network.UdpOffload,
        }, notice => LogNotice(logger, notice));
        var standing = new ReplaceableLink(link);
        PeerPath path = DatagramCarrier.Open(standing, server);
        return new OpenedLink(standing, carrier, path, Endpoint.FromIPEndPoint(server), null, null);
    }

    /// <summary>
    /// With the server's own address and port, while that is down, the client would talk to itself, and nobody would notice but for the
    /// errors that make no sense.
    /// </summary>
    private static void RequireAnother(IPEndPoint server, AddressConfig family, int port)
    {
        if (port == server.Port && (family.Address?.Equals(server.Address) ?? HostAddresses.IsOwn(server.Address)))
            throw new LinkException(LinkFault.PortInUse, $"{server} is this host's own, and this client's port too: set another port in [network], or 0 for any");
    }

    /// <summary>The link and its port, with the firewall's rules for it.</summary>
    private async Task<Claim> ClaimAsync(HostRoute route, int fixedPort, IPEndPoint server, CancellationToken cancel)
    {
        int port = fixedPort != 0 ? fixedPort : Random.Shared.Next(FirstRandomPort, 65536);
        HandshakeRole role = config.Network.Tcp.Handshake ? HandshakeRole.Client : HandshakeRole.None;
        var carrier = new TcpCarrier(config.Network.Dscp, config.Network.Tcp.Local, role);
        _mtu.Require(new OutgoingLink(route.Interface, route.Mtu), carrier, server.AddressFamily);
        var link = new ReplaceableLink(EthernetLinks.Open(config.Network, route.Interface, new PortSpan(port), logger));
        try
        {
            // The rules first: the kernel must not reset what it does not know.
            FirewallKeeper? firewall = config.Network.Firewall ? await StartFirewallAsync(RulesOf(route, port, fixedPort != 0, server), cancel).ConfigureAwait(false) : null;
            return new Claim(route, port, carrier, link, firewall);
        }
        catch
        {
            link.Dispose();
            throw;
        }
    }

    private OpenedLink OpenEthernet(Claim claim, IPEndPoint server, CancellationToken cancel)
    {
        try
        {
            (HostRoute route, int port, TcpCarrier carrier, ReplaceableLink link, FirewallKeeper? firewall) = claim;
            PeerPath path = OpenPath(link, carrier, AddressesOf(route, port, server), cancel);
            return new OpenedLink(
                link, carrier, path, Endpoint.FromIPEndPoint(server), firewall, () => FindWay(link, route, port, server));
        }
        catch
        {
            claim.Firewall?.Dispose();
            claim.Link.Dispose();
            throw;
        }
    }

    private PeerPath OpenPath(IPacketLink link, TcpCarrier carrier, FlowAddresses addresses, CancellationToken cancel)
    {
        bool fixedRouter = FixedRouter(addresses);
        if (!config.Network.Tcp.Handshake)
            return carrier.Open(link, addresses, fixedRouter);
        HandshakenFlow opened = TcpHandshake.Run(link, addresses, config.Network.Dscp, cancel);
        return carrier.Open(link, addresses, opened, fixedRouter);
    }

    private FlowAddresses? FindWay(ReplaceableLink link, HostRoute opened, int port, IPEndPoint server)
    {
        HostRoute now = HostAddresses.RouteTo(config.Network, server.Address);
        if (now.Interface != opened.Interface || !now.LocalAddress.Equals(opened.LocalAddress))
            return null;
        if (link.IsBroken)
            link.Replace(EthernetLinks.Open(config.Network, now.Interface, new PortSpan(port), logger));
        return AddressesOf(now, port, server);
    }

    /// <summary>The port that the file tells this connection to use; 0 for any.</summary>
    private int FixedPort(AddressFamily family, int index)
    {
        int first = HostAddresses.FamilyOf(config.Network, family).Port;
        if (first == 0 || first + index <= ushort.MaxValue)
            return first == 0 ? 0 : first + index;
        throw new LinkException(LinkFault.Network, $"no port is left from {first} on for connection {index}: lower the port in [network], or make it 0");
    }

    private bool FixedRouter(FlowAddresses addresses) => (addresses.Source.IsIPv4 ? config.Network.IPv4 : config.Network.IPv6).RouterMac is not null;

    internal static FirewallRules RulesOf(HostRoute route, int port, bool isFixed, IPEndPoint server) => new()
    {
        Role = FirewallRole.Client,
        FirstPort = port,
        LocalAddresses = [route.LocalAddress],
        RemoteAddress = server.Address,
        RemotePort = server.Port,
        PortSetting = isFixed ? null : server.AddressFamily == AddressFamily.InterNetworkV6 ? "network.ipv6.port" : "network.ipv4.port",
    };

    private async Task<FirewallKeeper> StartFirewallAsync(FirewallRules rules, CancellationToken cancel)
    {
        await _turn.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            CleanUp();
            return FirewallKeeper.Start(() => rules, logger, _problems);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Once: looking through the rules of all connections for each of them would be their number squared.</summary>
    private void CleanUp()
    {
        if (_cleaned)
            return;
        _cleaned = true;
        foreach (string name in Firewall.CleanUpStale())
            LogCleaned(logger, name);
    }

    private static FlowAddresses AddressesOf(HostRoute route, int port, IPEndPoint server) => new(
        MacAddress.FromBytes(route.InterfaceMac.GetAddressBytes()),
        MacAddress.FromBytes(route.NextHopMac!.GetAddressBytes()),
        Endpoint.FromIPEndPoint(new IPEndPoint(route.LocalAddress, port)),
        Endpoint.FromIPEndPoint(server));

    /// <summary>What a connection has taken of this host before it asks the server.</summary>
    private sealed record Claim(HostRoute Route, int Port, TcpCarrier Carrier, ReplaceableLink Link, FirewallKeeper? Firewall);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Notice}")]
    private static partial void LogNotice(ILogger logger, string notice);

    [LoggerMessage(Level = LogLevel.Information, Message = "removed the firewall rules {Name} that a dead process left")]
    private static partial void LogCleaned(ILogger logger, string name);
}
