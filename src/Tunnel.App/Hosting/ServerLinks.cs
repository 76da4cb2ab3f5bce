using System.Net;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Links.Host;
using Tunnel.Links.Udp;

namespace Tunnel.App.Hosting;

/// <summary>Opens a server's link, or several that share its flows, as its configuration says, with the firewall rules that it needs.</summary>
internal sealed partial class ServerLinks(ServerConfig config, ILogger logger) : IDisposable
{
    /// <summary>Unless told otherwise: what more would win was never measured.</summary>
    private const int MostReceivers = 8;

    private readonly MtuCheck _mtu = new(config.Transport.Kcp, logger);
    private readonly Carrier _carrier = CarrierOf(config.Network);
    private readonly PortSpan _ports = new(config.Port, config.Ports);
    private FirewallKeeper? _firewall;
    private volatile string? _interface;
    private int? _atFirst;

    /// <summary>The kernel does not find the way for this link: it has to follow this host's network by itself.</summary>
    public bool FollowsNetwork => config.Network.Link != LinkKind.Udp;

    // Never more than at first: there are threads for those only, and the kernel would send flows to the others as well.
    private int Receivers => _atFirst ?? config.Network.Receivers ?? Math.Min(Environment.ProcessorCount, MostReceivers);

    /// <summary>How datagrams are dressed, the same on every link that is opened.</summary>
    public Carrier Carrier => _carrier;

    /// <summary>Opens the links where they belong now; again when they broke or have to move.</summary>
    /// <exception cref="LinkException">They cannot be opened; the message says what to do.</exception>
    public IReadOnlyList<IPacketLink> Open() => FollowsNetwork ? OpenEthernet() : [OpenUdp()];

    /// <summary>Another interface than the one that is open would be chosen now; never so when the file names it.</summary>
    public bool LeadElsewhere()
    {
        try
        {
            return FollowsNetwork && HostAddresses.ServerRoute(config.Network).Interface != _interface;
        }
        catch (LinkException)
        {
            // Nothing better is known: a route that is replaced is gone for a moment.
            return false;
        }
    }

    /// <summary>The interface's addresses may have changed.</summary>
    public void FollowAddresses() => _firewall?.Follow();

    public void Dispose() => _firewall?.Dispose();

    private static Carrier CarrierOf(NetworkConfig network)
    {
        if (network.Link == LinkKind.Udp)
            return new DatagramCarrier();
        HandshakeRole role = network.Tcp.Handshake ? HandshakeRole.Server : HandshakeRole.None;
        return new TcpCarrier(network.Dscp, network.Tcp.Local, role, [.. new[] { network.IPv4.Address, network.IPv6.Address }.OfType<IPAddress>()]);
    }

    private IPacketLink OpenUdp()
    {
        UdpOptions options = UdpOptionsOf();
        if (MtuCheck.ServedBy(options) is { } served)
            _mtu.Require(served, _carrier);
        IPacketLink opened = _ports.Count == 1 ? UdpLink.Open(options, Tell) : UdpRangeLink.Open(options, _ports.Count, Tell);
        if ((options.Address?.ToString() ?? options.Interface) is { } where)
            LogOpenedUdp(logger, _ports, where);
        else
            LogOpenedUdpEverywhere(logger, _ports);
        return opened;

        void Tell(string notice) => LogNotice(logger, notice);
    }

    private IReadOnlyList<IPacketLink> OpenEthernet()
    {
        HostRoute route = HostAddresses.ServerRoute(config.Network);
        string name = route.Interface;
        if (HostNetwork.Interfaces().FirstOrDefault(i => i.Index == route.Index) is { } served)
            _mtu.Require(served, _carrier);
        IReadOnlyList<IPacketLink> opened = EthernetLinks.OpenGroup(config.Network, name, _ports, Receivers, logger);
        string? before = _interface;
        try
        {
            _interface = name;
            KeepFirewall();
            _atFirst ??= opened.Count;
        }
        catch
        {
            _interface = before;
            foreach (IPacketLink link in opened)
                link.Dispose();
            throw;
        }

        if (before is null || before == name)
            LogOpened(logger, _ports, name, opened[0].Name, opened.Count);
        else
            LogMoved(logger, _ports, before, name, opened[0].Name);
        return opened;
    }

    private void KeepFirewall()
    {
        FollowAddresses();
        if (!config.Network.Firewall || _firewall is not null)
            return;
        foreach (string name in Firewall.CleanUpStale())
            LogCleaned(logger, name);
        _firewall = FirewallKeeper.Start(
            () => new FirewallRules
            {
                Role = FirewallRole.Server,
                FirstPort = _ports.First,
                LastPort = _ports.Last,
                LocalAddresses = HostAddresses.AddressesOf(_interface!),
            },
            logger,
            new FirewallProblems(logger));
    }

    private UdpOptions UdpOptionsOf() => new()
    {
        Address = config.Network.IPv4.Address ?? config.Network.IPv6.Address,
        Port = config.Port,
        Interface = config.Network.Interface,
        Dscp = config.Network.Dscp,
        DoNotFragment = config.Transport.Kcp.Mtu is null,
        Offload = config.Network.UdpOffload,
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Notice}")]
    private static partial void LogNotice(ILogger logger, string notice);

    [LoggerMessage(Level = LogLevel.Information, Message = "listens on {Ports} of {Interface} (raw TCP segments, {Link}; {Receivers} receiving)")]
    private static partial void LogOpened(ILogger logger, PortSpan ports, string @interface, string link, int receivers);

    [LoggerMessage(Level = LogLevel.Information, Message = "listens on {Ports} of {Address} (UDP)")]
    private static partial void LogOpenedUdp(ILogger logger, PortSpan ports, string address);

    [LoggerMessage(Level = LogLevel.Information, Message = "listens on {Ports} of every address (UDP)")]
    private static partial void LogOpenedUdpEverywhere(ILogger logger, PortSpan ports);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "{Ports} moves from {Old} to {Interface}, which is what interface = \"auto\" means now ({Link}); the sessions stay")]
    private static partial void LogMoved(ILogger logger, PortSpan ports, string old, string @interface, string link);

    [LoggerMessage(Level = LogLevel.Information, Message = "removed the firewall rules {Name} that a dead process left")]
    private static partial void LogCleaned(ILogger logger, string name);
}
