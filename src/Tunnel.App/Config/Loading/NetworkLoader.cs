using System.Net;
using Tunnel.App.Config.Schema;

namespace Tunnel.App.Config.Loading;

/// <summary>[network] and the tables below it.</summary>
internal static class NetworkLoader
{
    public static NetworkConfig Load(ConfigReader reader, Setting<TransportProfile> profile, int connections)
    {
        LinkKind link = LoadLink(reader, profile);
        AddressConfig ipv4 = LoadFamily(reader, NetworkKeys.IPv4, connections), ipv6 = LoadFamily(reader, NetworkKeys.IPv6, connections);
        if (link == LinkKind.Udp && reader.Side == ConfigSide.Server && ipv4.Address is not null && ipv6.Address is not null)
            ReportTwoAddresses(reader);
        return new NetworkConfig
        {
            Link = link,
            Interface = reader.Get(NetworkKeys.Interface).Value,
            Firewall = reader.Get(NetworkKeys.Firewall).Value,
            Dscp = reader.Get(NetworkKeys.Dscp).Value,
            Receivers = reader.Get(NetworkKeys.Receivers).Value,
            IPv4 = ipv4,
            IPv6 = ipv6,
            Tcp = LoadTcp(reader, link),
            Pcap = LoadPcap(reader),
            UdpOffload = reader.Get(NetworkKeys.UdpOffload).Value,
        };
    }

    private static TcpFlagsConfig LoadTcp(ConfigReader reader, LinkKind link)
    {
        Setting<ushort[]> local = reader.Get(NetworkKeys.LocalFlag), remote = reader.Get(NetworkKeys.RemoteFlag);
        Setting<bool> handshake = reader.Get(NetworkKeys.Handshake);
        if (handshake is { IsSound: true, Value: true })
        {
            // Bits that no TCP would send in the middle of a connection are what such firewalls drop.
            ReportFlags(reader, NetworkKeys.LocalFlag, local);
            ReportFlags(reader, NetworkKeys.RemoteFlag, remote);
            if (link == LinkKind.Udp)
                reader.Report(handshake.Position, NetworkKeys.Handshake, "network.link = \"udp\" sends no TCP segments", "false");
        }

        return new TcpFlagsConfig(local.Value, remote.Value, handshake.Value);
    }

    private static void ReportFlags(ConfigReader reader, ConfigKey<ushort[]> key, Setting<ushort[]> flags)
    {
        if (flags is { IsSound: true, IsSet: true, Value: not [0x18] })
            reader.Report(flags.Position, key, "network.tcp.handshake makes flows in which every segment has these flags", "[\"PA\"]");
    }

    private static LinkKind LoadLink(ConfigReader reader, Setting<TransportProfile> profile)
    {
        Setting<LinkKind> link = reader.Get(NetworkKeys.Link);
        if (profile.Value == TransportProfile.Kcptun && link.IsSound && link.Value != LinkKind.Udp)
        {
            reader.Report(
                link.IsSet ? link.Position : profile.Position,
                NetworkKeys.Link,
                "transport.profile = \"kcptun\" works over UDP only",
                "\"udp\"");
        }

        return link.Value;
    }

    /// <summary>The socket would be bound to the one, and nobody be told of the other.</summary>
    private static void ReportTwoAddresses(ConfigReader reader)
    {
        ConfigKey<IPAddress?> other = NetworkKeys.IPv6.Address;
        const string What = "with network.link = \"udp\" a server listens on one address or on all, and network.ipv4.address is set";
        reader.Report(reader.Find(other)!.Value.Position, other, What, "\"auto\"");
    }

    private static AddressConfig LoadFamily(ConfigReader reader, FamilyKeys keys, int connections)
    {
        Setting<int> port = reader.Get(keys.Port);
        if (port.Value != 0 && port.Value + connections - 1 > ushort.MaxValue)
        {
            string what = $"{connections} connections take the ports {port.Value} to {port.Value + connections - 1}";
            reader.Report(port.Position, keys.Port, what, $"0, or at most {ushort.MaxValue - connections + 1}");
        }

        return new AddressConfig(reader.Get(keys.Address).Value, port.Value, reader.Get(keys.RouterMac).Value);
    }

    private static PcapConfig LoadPcap(ConfigReader reader) => new(
        reader.Get(NetworkKeys.SockBuf).Value,
        reader.Get(NetworkKeys.SnapLen).Value,
        reader.Get(NetworkKeys.Promisc).Value,
        reader.Get(NetworkKeys.Immediate).Value,
        reader.Get(NetworkKeys.Timeout).Value);
}
