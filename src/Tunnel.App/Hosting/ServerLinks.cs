using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Links.Host;
using Tunnel.Links.Udp;

namespace Tunnel.App.Hosting;

/// <summary>Opens a server's link as its configuration says, with the firewall rules that it needs.</summary>
internal sealed partial class ServerLinks(ServerConfig config, ILogger logger) : IDisposable
{
    private readonly PortSpan _ports = new(config.Port, config.Ports);
    private FirewallKeeper? _firewall;

    /// <exception cref="LinkException">The link cannot be opened; the message says what to do.</exception>
    public (IPacketLink Link, Carrier Carrier) Open() => config.Network.Link switch
    {
        LinkKind.Udp => (OpenUdp(), new DatagramCarrier()),
        _ => OpenEthernet(),
    };

    public void Dispose() => _firewall?.Dispose();

    private (IPacketLink Link, Carrier Carrier) OpenEthernet()
    {
        HostRoute route = HostAddresses.ServerRoute(config.Network);
        IPacketLink link = EthernetLinks.Open(config.Network, route.Interface, _ports, logger);
        try
        {
            StartFirewall(route.Interface);
        }
        catch
        {
            link.Dispose();
            throw;
        }

        LogOpened(logger, _ports, route.Interface, link.Name);
        return (link, new TcpCarrier(config.Network.Dscp, config.Network.Tcp.Local));
    }

    private void StartFirewall(string interfaceName)
    {
        _firewall?.Dispose();
        _firewall = null;
        if (!config.Network.Firewall)
            return;
        foreach (string name in Firewall.CleanUpStale())
            LogCleaned(logger, name);
        _firewall = FirewallKeeper.Start(
            () => new FirewallRules
            {
                Role = FirewallRole.Server,
                FirstPort = _ports.First,
                LastPort = _ports.Last,
                LocalAddresses = HostAddresses.AddressesOf(interfaceName),
            },
            logger);
    }

    private IPacketLink OpenUdp() =>
        _ports.Count == 1 ? UdpLink.Open(UdpOptionsOf()) : UdpRangeLink.Open(UdpOptionsOf(), _ports.Count);

    private UdpOptions UdpOptionsOf() => new()
    {
        Address = config.Network.IPv4.Address ?? config.Network.IPv6.Address,
        Port = config.Port,
        Dscp = config.Network.Dscp,
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "listens on {Ports} of {Interface} (raw TCP segments, {Link})")]
    private static partial void LogOpened(ILogger logger, PortSpan ports, string @interface, string link);

    [LoggerMessage(Level = LogLevel.Information, Message = "removed the firewall rules {Name} that a dead process left")]
    private static partial void LogCleaned(ILogger logger, string name);
}
