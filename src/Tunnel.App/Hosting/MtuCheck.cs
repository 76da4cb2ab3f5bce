using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Links.Host;
using Tunnel.Links.Udp;
using Tunnel.Protocol.Crypto;

namespace Tunnel.App.Hosting;

/// <summary>
/// Whether the configured datagrams fit the link: refused when it becomes known that they do not, as the mistake in the configuration
/// that it is. Once the tunnel has run, a link that became smaller is an event: datagrams get shorter, and the log says so.
/// </summary>
internal sealed partial class MtuCheck(KcpConfig kcp, ILogger logger)
{
    private volatile bool _passed;

    /// <summary>A client's link to its server.</summary>
    /// <exception cref="LinkException">They do not fit (Configuration).</exception>
    public void Require(OutgoingLink link, Carrier carrier, AddressFamily family)
    {
        Require([Problem(link, carrier, family)]);
    }

    /// <summary>
    /// A server's interface: what fits no family that it has an address of is refused; one family of two is left to its clients.
    /// </summary>
    /// <exception cref="LinkException">They do not fit (Configuration).</exception>
    public void Require(InterfaceInfo served, Carrier carrier)
    {
        IEnumerable<AddressFamily> families =
            served.Addresses.Where(a => !a.IsIPv6LinkLocal).Select(a => a.AddressFamily).Distinct().Order();
        Require([.. families.Select(family => Problem(new OutgoingLink(served.Name, served.Mtu), carrier, family))]);
    }

    /// <summary>
    /// The interface that a server on ordinary UDP is reached by: the one that it is bound to, the address's, or the one with the largest MTU;
    /// null when there is none, or the kernel does not tell.
    /// </summary>
    public static InterfaceInfo? ServedBy(UdpOptions options)
    {
        try
        {
            return HostNetwork.Interfaces()
                .Where(i => i.IsUp && (options.Interface is null || i.Name == options.Interface)
                    && (options.Address is { } address ? i.Addresses.Contains(address) : options.Interface is not null || (!i.IsLoopback && i.Addresses.Count != 0)))
                .MaxBy(i => i.Mtu);
        }
        catch (LinkException)
        {
            return null;
        }
    }

    /// <summary>What is wrong, and the largest that is right; null if nothing is.</summary>
    internal string? Problem(OutgoingLink link, Carrier carrier, AddressFamily family)
    {
        bool ipv6 = family == AddressFamily.InterNetworkV6;
        int largest = link.Mtu - carrier.PacketHeaders(ipv6) - (kcp.Guard is null ? 0 : Guard.PrefixLength);
        if (kcp.Mtu is not { } mtu || mtu <= largest)
            return null;
        return $"transport.kcp.mtu {mtu} does not fit {link.Interface} ({link.Mtu}): at most {largest} with {(ipv6 ? "IPv6" : "IPv4")}"
            + (kcp.Guard is null ? "" : " and guard");
    }

    /// <param name="problems">One for each family, null where it fits.</param>
    private void Require(string?[] problems)
    {
        if (!_passed && problems.Length != 0 && problems.All(p => p is not null))
            throw new LinkException(LinkFault.Configuration, problems[0]!);
        foreach (string problem in problems.OfType<string>())
            LogTooLong(logger, problem);
        _passed = true;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Problem}; datagrams are made shorter there")]
    private static partial void LogTooLong(ILogger logger, string problem);
}
