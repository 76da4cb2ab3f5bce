using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Tunnel.Links.Native;
using static Tunnel.Links.Host.Netlink.Rtnetlink;

namespace Tunnel.Links.Host.Netlink;

/// <summary>The questions that the tunnel has for the kernel.</summary>
internal sealed class NetlinkQueries : IDisposable
{
    private readonly NetlinkSocket _socket = new();

    internal List<LinkEntry> Links() => Dump(RTM_GETLINK, 16, 0, RTM_NEWLINK, NetlinkParsers.Link);

    internal List<AddressEntry> Addresses() => Dump(RTM_GETADDR, 8, 0, RTM_NEWADDR, NetlinkParsers.Address);

    internal List<RouteEntry> Routes(AddressFamily family) => Dump(RTM_GETROUTE, 12, Number(family), RTM_NEWROUTE, NetlinkParsers.Route);

    /// <summary>How the kernel would go to an address, or null and why not.</summary>
    internal RouteEntry? RouteTo(IPAddress destination, int outgoingIndex, IPAddress? source, out int error)
    {
        Span<byte> header = stackalloc byte[12];
        header.Clear();
        int bits = destination.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32;
        header[0] = Number(destination.AddressFamily);
        header[1] = (byte)bits;
        header[2] = (byte)(source is null ? 0 : bits);
        NetlinkRequest request = new NetlinkRequest(RTM_GETROUTE, 0, header).Add(RTA_DST, destination);
        if (source is not null)
            request.Add(RTA_SRC, source);
        if (outgoingIndex > 0)
            request.Add(RTA_OIF, outgoingIndex);

        RouteEntry? found = null;
        error = _socket.Ask(request, dump: false, (type, body) => found = type == RTM_NEWROUTE ? NetlinkParsers.Route(body) : null);
        return error == 0 ? found : null;
    }

    /// <summary>What the kernel knows about a neighbour, or null.</summary>
    internal NeighbourEntry? Neighbour(int index, IPAddress address)
    {
        Span<byte> header = stackalloc byte[12];
        header.Clear();
        header[0] = Number(address.AddressFamily);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], index);
        NeighbourEntry? found = null;
        NetlinkRequest request = new NetlinkRequest(RTM_GETNEIGH, 0, header).Add(NDA_DST, address);
        int error = _socket.Ask(request, dump: false, (type, body) => found = type == RTM_NEWNEIGH ? NetlinkParsers.Neighbour(body) : null);
        if (error is 0 or Linux.ENOENT)
            return found;

        // Before Linux 5.0 a single neighbour cannot be asked for.
        foreach (NeighbourEntry entry in Dump(RTM_GETNEIGH, 12, Number(address.AddressFamily), RTM_NEWNEIGH, NetlinkParsers.Neighbour))
        {
            if (entry.Index == index && entry.Address.Equals(address))
                return entry;
        }

        return null;
    }

    public void Dispose() => _socket.Dispose();

    internal static byte Number(AddressFamily family) => (byte)(family == AddressFamily.InterNetworkV6 ? Linux.AF_INET6 : Linux.AF_INET);

    private delegate T? Parser<T>(ReadOnlySpan<byte> body)
        where T : struct;

    private List<T> Dump<T>(ushort type, int headerLength, byte family, ushort answerType, Parser<T> parse)
        where T : struct
    {
        Span<byte> header = stackalloc byte[headerLength];
        header.Clear();
        header[0] = family;
        List<T> entries = [];
        int error = _socket.Ask(new NetlinkRequest(type, NLM_F_DUMP, header), dump: true, (answer, body) =>
        {
            if (answer == answerType && parse(body) is { } entry)
                entries.Add(entry);
        });
        if (error != 0)
            throw new LinkException(LinkFault.Other, $"the kernel does not tell its network configuration: {Libc.Describe(error)}");
        return entries;
    }
}
