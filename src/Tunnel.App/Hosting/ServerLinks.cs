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
    private FirewallKeeper? _firewall;
    private volatile string? _interface;

    /// <summary>The kernel does not find the way for this link: it has to follow this host's network by itself.</summary>
    public bool FollowsNetwork => config.Network.Link != LinkKind.Udp;

    public Carrier CreateCarrier() =>
        FollowsNetwork ? new TcpCarrier(config.Network.Dscp, config.Network.Tcp.Local) : new DatagramCarrier();

    /// <summary>Opens the link where it belongs now; again for one that broke or has to move.</summary>
    /// <exception cref="LinkException">The link cannot be opened; the message says what to do.</exception>
    public IPacketLink Open() => FollowsNetwork ? OpenEthernet() : UdpLink.Open(UdpOptionsOf());

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

    private IPacketLink OpenEthernet()
    {
        string name = HostAddresses.ServerRoute(config.Network).Interface;
        IPacketLink link = EthernetLinks.Open(config.Network, name, config.Port, logger);
        string? before = _interface;
        try
        {
            _interface = name;
            KeepFirewall();
        }
        catch
        {
            _interface = before;
            link.Dispose();
            throw;
        }

        if (before is null || before == name)
            LogOpened(logger, config.Port, name, link.Name);
        else
            LogMoved(logger, config.Port, before, name, link.Name);
        return link;
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
                FirstPort = config.Port,
                LocalAddresses = HostAddresses.AddressesOf(_interface!),
            },
            logger);
    }

    private UdpOptions UdpOptionsOf() => new()
    {
        Address = config.Network.IPv4.Address ?? config.Network.IPv6.Address,
        Port = config.Port,
        Dscp = config.Network.Dscp,
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "listens on port {Port} of {Interface} (raw TCP segments, {Link})")]
    private static partial void LogOpened(ILogger logger, int port, string @interface, string link);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "port {Port} moves from {Old} to {Interface}, which is what interface = \"auto\" means now ({Link}); the sessions stay")]
    private static partial void LogMoved(ILogger logger, int port, string old, string @interface, string link);

    [LoggerMessage(Level = LogLevel.Information, Message = "removed the firewall rules {Name} that a dead process left")]
    private static partial void LogCleaned(ILogger logger, string name);
}
