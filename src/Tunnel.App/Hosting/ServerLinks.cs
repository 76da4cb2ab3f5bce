using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Links.Host;
using Tunnel.Links.Pcap;
using Tunnel.Links.Udp;

namespace Tunnel.App.Hosting;

/// <summary>Opens a server's link as its configuration says, with the firewall rules that it needs.</summary>
internal sealed partial class ServerLinks(ServerConfig config, ILogger logger) : IDisposable
{
    private FirewallKeeper? _firewall;

    /// <exception cref="LinkException">The link cannot be opened; the message says what to do.</exception>
    public (IPacketLink Link, Carrier Carrier) Open() => config.Network.Link switch
    {
        LinkKind.Udp => (UdpLink.Open(UdpOptionsOf()), new DatagramCarrier()),
        _ => OpenPcap(),
    };

    public void Dispose() => _firewall?.Dispose();

    private (IPacketLink Link, Carrier Carrier) OpenPcap()
    {
        HostRoute route = HostAddresses.ServerRoute(config.Network);
        PcapLink link = PcapLink.Open(PcapSettings.Of(config.Network.Pcap, route.Interface, config.Port), m => LogNotice(logger, m));
        try
        {
            StartFirewall(route.Interface);
        }
        catch
        {
            link.Dispose();
            throw;
        }

        LogOpened(logger, config.Port, route.Interface);
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
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "listens on port {Port} of {Interface} (raw TCP segments)")]
    private static partial void LogOpened(ILogger logger, int port, string @interface);

    [LoggerMessage(Level = LogLevel.Information, Message = "removed the firewall rules {Name} that a dead process left")]
    private static partial void LogCleaned(ILogger logger, string name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Notice}")]
    private static partial void LogNotice(ILogger logger, string notice);
}
