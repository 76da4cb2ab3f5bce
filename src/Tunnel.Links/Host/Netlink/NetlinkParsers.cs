using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Text;
using Tunnel.Links.Native;
using static Tunnel.Links.Host.Netlink.Rtnetlink;

namespace Tunnel.Links.Host.Netlink;

/// <summary>An interface as rtnetlink tells it.</summary>
internal readonly record struct LinkEntry(int Index, string Name, ushort HardwareType, PhysicalAddress Mac, int Mtu, bool Up);

/// <summary>An address of an interface.</summary>
internal readonly record struct AddressEntry(int Index, IPAddress Address, int PrefixLength, bool Usable);

/// <summary>A route, or the answer to "how would you go there"; <see cref="Gateway"/> is null when the destination is on the link.</summary>
internal readonly record struct RouteEntry(
    int Index, IPAddress? Gateway, IPAddress? Source, int PrefixLength, byte Kind, uint Table, uint Metric, int Mtu);

/// <summary>A neighbour; the MAC is null while it is not known.</summary>
internal readonly record struct NeighbourEntry(int Index, IPAddress Address, PhysicalAddress? Mac, ushort State)
{
    internal bool IsUsable => Mac is not null && (State & NUD_USABLE) != 0;
}

/// <summary>Bodies of netlink messages into entries. Any bytes may come in: too short ones make null, odd attributes are passed over.</summary>
internal static class NetlinkParsers
{
    private const int LinkHeader = 16;
    private const int AddressHeader = 8;
    private const int RouteHeader = 12;
    private const int NeighbourHeader = 12;

    // nfnetlink: what a message is about stands in the upper half of its type.
    private const int NetfilterHeader = 4;
    private const int NftablesSubsystem = 10;
    private const int NewGeneration = 15;

    /// <summary>In each message of nftables but that of a new generation.</summary>
    private const int TableAttribute = 1;

    /// <summary>The table that an announcement of nftables is about; null where it is about none.</summary>
    internal static string? RulesetTable(ushort type, ReadOnlySpan<byte> body)
    {
        if (type >> 8 != NftablesSubsystem || (type & 0xFF) == NewGeneration || body.Length < NetfilterHeader)
            return null;
        var attributes = new AttributeReader(body[NetfilterHeader..]);
        while (attributes.MoveNext())
        {
            if (attributes.Type == TableAttribute)
                return Encoding.UTF8.GetString(attributes.Value.TrimEnd((byte)0));
        }

        return null;
    }

    internal static LinkEntry? Link(ReadOnlySpan<byte> body)
    {
        if (body.Length < LinkHeader)
            return null;

        string name = string.Empty;
        PhysicalAddress mac = EthernetAddress.Zero;
        int mtu = 0;
        var attributes = new AttributeReader(body[LinkHeader..]);
        while (attributes.MoveNext())
        {
            switch (attributes.Type)
            {
                case IFLA_IFNAME:
                    name = Encoding.UTF8.GetString(attributes.Value.TrimEnd((byte)0));
                    break;
                case IFLA_ADDRESS when attributes.Value.Length == EthernetAddress.Length:
                    mac = new PhysicalAddress(attributes.Value.ToArray());
                    break;
                case IFLA_MTU:
                    mtu = (int)attributes.Number;
                    break;
            }
        }

        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(body[8..]);
        return new LinkEntry(
            BinaryPrimitives.ReadInt32LittleEndian(body[4..]),
            name,
            BinaryPrimitives.ReadUInt16LittleEndian(body[2..]),
            mac,
            mtu,
            (flags & Linux.IFF_UP) != 0);
    }

    internal static AddressEntry? Address(ReadOnlySpan<byte> body)
    {
        if (body.Length < AddressHeader)
            return null;

        int index = BinaryPrimitives.ReadInt32LittleEndian(body[4..]);
        IPAddress? address = null;
        IPAddress? local = null;
        var attributes = new AttributeReader(body[AddressHeader..]);
        while (attributes.MoveNext())
        {
            // On a point-to-point interface IFA_ADDRESS is the peer's and IFA_LOCAL is ours; IPv6 has the first only.
            if (attributes.Type == IFA_ADDRESS)
                address = Ip(attributes.Value, index);
            else if (attributes.Type == IFA_LOCAL)
                local = Ip(attributes.Value, index);
        }

        bool usable = (body[2] & IFA_F_TENTATIVE_OR_FAILED) == 0;
        return (local ?? address) is { } found ? new AddressEntry(index, found, body[1], usable) : null;
    }

    internal static RouteEntry? Route(ReadOnlySpan<byte> body)
    {
        if (body.Length < RouteHeader)
            return null;

        var route = new RouteEntry(0, null, null, body[1], body[7], body[4], 0, 0);
        ReadOnlySpan<byte> gateway = default;
        ReadOnlySpan<byte> source = default;
        var attributes = new AttributeReader(body[RouteHeader..]);
        while (attributes.MoveNext())
        {
            switch (attributes.Type)
            {
                case RTA_OIF:
                    route = route with { Index = (int)attributes.Number };
                    break;
                case RTA_GATEWAY:
                    gateway = attributes.Value;
                    break;
                case RTA_VIA when attributes.Value.Length > 2:
                    gateway = attributes.Value[2..];
                    break;
                case RTA_PREFSRC:
                    source = attributes.Value;
                    break;
                case RTA_PRIORITY:
                    route = route with { Metric = attributes.Number };
                    break;
                case RTA_TABLE:
                    route = route with { Table = attributes.Number };
                    break;
                case RTA_METRICS:
                    route = route with { Mtu = MtuOf(attributes.Value) };
                    break;
                case RTA_MULTIPATH:
                    FirstHop(attributes.Value, ref route, ref gateway);
                    break;
            }
        }

        return route with { Gateway = Ip(gateway, route.Index), Source = Ip(source, route.Index) };
    }

    internal static NeighbourEntry? Neighbour(ReadOnlySpan<byte> body)
    {
        if (body.Length < NeighbourHeader)
            return null;

        int index = BinaryPrimitives.ReadInt32LittleEndian(body[4..]);
        IPAddress? address = null;
        PhysicalAddress? mac = null;
        var attributes = new AttributeReader(body[NeighbourHeader..]);
        while (attributes.MoveNext())
        {
            if (attributes.Type == NDA_DST)
                address = Ip(attributes.Value, index);
            else if (attributes.Type == NDA_LLADDR && attributes.Value.Length == EthernetAddress.Length)
                mac = new PhysicalAddress(attributes.Value.ToArray());
        }

        ushort state = BinaryPrimitives.ReadUInt16LittleEndian(body[8..]);
        return address is null ? null : new NeighbourEntry(index, address, mac, state);
    }

    private static int MtuOf(ReadOnlySpan<byte> metrics)
    {
        var attributes = new AttributeReader(metrics);
        while (attributes.MoveNext())
        {
            if (attributes.Type == RTAX_MTU)
                return (int)attributes.Number;
        }

        return 0;
    }

    /// <summary>The first of several next hops: struct rtnexthop (length, flags, hops, interface), then attributes.</summary>
    private static void FirstHop(ReadOnlySpan<byte> hops, ref RouteEntry route, ref ReadOnlySpan<byte> gateway)
    {
        const int header = 8;
        if (hops.Length < header)
            return;

        route = route with { Index = BinaryPrimitives.ReadInt32LittleEndian(hops[4..]) };
        int length = Math.Clamp((int)BinaryPrimitives.ReadUInt16LittleEndian(hops), header, hops.Length);
        var attributes = new AttributeReader(hops[header..length]);
        while (attributes.MoveNext())
        {
            if (attributes.Type == RTA_GATEWAY)
                gateway = attributes.Value;
            else if (attributes.Type == RTA_VIA && attributes.Value.Length > 2)
                gateway = attributes.Value[2..];
        }
    }

    /// <summary>An address of 4 or 16 bytes, else null. A link-local one means nothing without its interface, so it gets its scope.</summary>
    private static IPAddress? Ip(ReadOnlySpan<byte> bytes, int index)
    {
        if (bytes.Length is not (4 or 16))
            return null;
        bool linkLocal = bytes.Length == 16 && bytes[0] == 0xFE && (bytes[1] & 0xC0) == 0x80;
        return linkLocal ? new IPAddress(bytes, (uint)index) : new IPAddress(bytes);
    }
}
