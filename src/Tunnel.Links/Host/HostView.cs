using System.Net;
using System.Net.Sockets;
using Tunnel.Links.Host.Netlink;

namespace Tunnel.Links.Host;

/// <summary>The host's interfaces and addresses at one moment, with the questions of <see cref="HostNetwork"/> about them.</summary>
internal sealed class HostView(List<LinkEntry> links, List<AddressEntry> addresses)
{
    /// <summary>The interface that the query names, or that has the address which it names; null if it names neither.</summary>
    internal LinkEntry? Wanted(HostQuery query)
    {
        if (query.Interface is { } name)
        {
            return Find(l => l.Name == name) ?? throw new LinkException(
                LinkFault.Network,
                $"there is no interface {name}; there are: {string.Join(", ", links.Select(l => l.Name))}");
        }

        if (query.LocalAddress is not { } address)
            return null;
        if (IPAddress.IsLoopback(address))
            return Find(l => l.HardwareType == Rtnetlink.ARPHRD_LOOPBACK);
        int index = addresses.Where(a => a.Address.Equals(address)).Select(a => a.Index).FirstOrDefault();
        return Find(l => l.Index == index) ?? throw new LinkException(
            LinkFault.Network,
            $"{address} is not an address of this host: correct it, leave it out, or name the interface to use it all the same");
    }

    /// <summary>The query's local address if the host has it: the kernel refuses routes from addresses that it does not know.</summary>
    internal IPAddress? KnownSource(HostQuery query) =>
        query.LocalAddress is { } address && addresses.Any(a => a.Address.Equals(address)) ? address : null;

    /// <summary>The interface, or why frames cannot go there.</summary>
    internal LinkEntry Usable(int index)
    {
        LinkEntry link = Find(l => l.Index == index)
            ?? throw new LinkException(LinkFault.Network, $"the interface with index {index} has just gone away");
        if (!link.Up)
            throw new LinkException(LinkFault.Network, $"interface {link.Name} is down: `ip link set {link.Name} up`");
        if (link.HardwareType is not (Rtnetlink.ARPHRD_ETHER or Rtnetlink.ARPHRD_LOOPBACK))
        {
            throw new LinkException(
                LinkFault.Network,
                $"{link.Name} is not an Ethernet interface, so raw frames cannot leave by it: name another one, or use the udp link");
        }

        return link;
    }

    /// <summary>The only interface that is up, not loopback, and has an address of the family.</summary>
    internal LinkEntry OnlyCandidate(AddressFamily family)
    {
        LinkEntry[] candidates =
        [
            .. links.Where(l => l.Up && l.HardwareType == Rtnetlink.ARPHRD_ETHER && Addresses(l, family).Any(a => !a.IsIPv6LinkLocal)),
        ];
        if (candidates.Length == 1)
            return candidates[0];
        string found = candidates.Length == 0
            ? "and no interface has an address"
            : $"and several interfaces could be meant ({string.Join(", ", candidates.Select(l => l.Name))})";
        throw new LinkException(LinkFault.Network, $"there is no {Name(family)} default route {found}: name the interface to use");
    }

    /// <summary>An address of the interface, a global one if there is one.</summary>
    internal IPAddress AddressOf(LinkEntry link, AddressFamily family) =>
        Addresses(link, family).OrderBy(a => a.IsIPv6LinkLocal ? 1 : 0).FirstOrDefault() ?? throw new LinkException(
            LinkFault.Network,
            $"interface {link.Name} has no {Name(family)} address: give it one, or name another interface");

    private IEnumerable<IPAddress> Addresses(LinkEntry link, AddressFamily family) =>
        addresses.Where(a => a.Index == link.Index && a.Usable && a.Address.AddressFamily == family).Select(a => a.Address);

    private LinkEntry? Find(Func<LinkEntry, bool> match)
    {
        foreach (LinkEntry link in links)
        {
            if (match(link))
                return link;
        }

        return null;
    }

    private static string Name(AddressFamily family) => family == AddressFamily.InterNetworkV6 ? "IPv6" : "IPv4";
}
