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
    private readonly MtuCheck _mtu = new(config.Transport.Kcp, logger);
    private FirewallKeeper? _firewall;

    /// <exception cref="LinkException">The link cannot be opened; the message says what to do.</exception>
    public (IPacketLink Link, Carrier Carrier) Open() => config.Network.Link switch
    {
        LinkKind.Udp => OpenUdp(),
        _ => OpenEthernet(),
    };

    public void Dispose() => _firewall?.Dispose();

    private (IPacketLink Link, Carrier Carrier) OpenUdp()
    {
        var carrier = new DatagramCarrier();
        UdpOptions options = UdpOptionsOf();
        if (MtuCheck.ServedBy(options.Address) is { } served)
            _mtu.Require(served, carrier);
        return (UdpLink.Open(options), carrier);
    }

    private (IPacketLink Link, Carrier Carrier) OpenEthernet()
    {
        HostRoute route = HostAddresses.ServerRoute(config.Network);
        HandshakeRole role = config.Network.Tcp.Handshake ? HandshakeRole.Server : HandshakeRole.None;
        var carrier = new TcpCarrier(config.Network.Dscp, config.Network.Tcp.Local, role);
        if (HostNetwork.Interfaces().FirstOrDefault(i => i.Index == route.Index) is { } served)
            _mtu.Require(served, carrier);
        IPacketLink link = EthernetLinks.Open(config.Network, route.Interface, config.Port, logger);
        try
        {
            StartFirewall(route.Interface);
        }
        catch
        {
            link.Dispose();
            throw;
        }

        LogOpened(logger, config.Port, route.Interface, link.Name);
        return (link, carrier);
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
                FirstPort = config.Port,
                LocalAddresses = HostAddresses.AddressesOf(interfaceName),
            },
            logger);
    }

    private UdpOptions UdpOptionsOf() => new()
    {
        Address = config.Network.IPv4.Address ?? config.Network.IPv6.Address,
        Port = config.Port,
        Dscp = config.Network.Dscp,
        DoNotFragment = config.Transport.Kcp.Mtu is null,
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "listens on port {Port} of {Interface} (raw TCP segments, {Link})")]
    private static partial void LogOpened(ILogger logger, int port, string @interface, string link);

    [LoggerMessage(Level = LogLevel.Information, Message = "removed the firewall rules {Name} that a dead process left")]
    private static partial void LogCleaned(ILogger logger, string name);
}
