using System.Net;
using System.Net.NetworkInformation;

namespace Tunnel.App.Config.Schema;

/// <summary>The keys of [network] and the tables below it.</summary>
internal static class NetworkKeys
{
    public static readonly ConfigKey<LinkKind> Link = new(
        "network",
        "link",
        BasicTypes.Choice(("auto", LinkKind.Auto), ("afpacket", LinkKind.AfPacket), ("pcap", LinkKind.Pcap), ("udp", LinkKind.Udp)))
    {
        Default = "\"auto\"",
        Doc = "What carries datagrams: raw TCP segments through packet sockets with segmentation offload (afpacket) or through libpcap, "
            + "which need privileges, or ordinary UDP, which needs none. \"auto\" takes afpacket where it works, else pcap.",
    };

    public static readonly ConfigKey<string?> Interface = new(
        "network",
        "interface",
        BasicTypes.Text("the name of an interface", name => name.Length is > 0 and < 256 && !name.Any(char.IsControl)).OrAuto())
    {
        Default = "\"auto\"",
        Doc = "The network interface; with udp the only one by which datagrams come and go. \"auto\" takes the one that the route to the peer goes through, with udp any.",
    };

    public static readonly ConfigKey<bool> Firewall = new("network", "firewall", BasicTypes.Boolean)
    {
        Default = "true",
        Doc = "Install at start, and remove at exit, the rules that keep this machine's own TCP from answering the tunnel's segments.",
    };

    public static readonly ConfigKey<int> Dscp = new("network", "dscp", BasicTypes.Integer(0, 63))
    {
        Default = "0",
        Doc = "The differentiated services code point of what is sent.",
    };

    public static readonly ConfigKey<int?> Receivers = new("network", "receivers", BasicTypes.Integer(1, 64).OrAuto())
    {
        Side = ConfigSide.Server,
        Default = "\"auto\"",
        Doc = "Packet sockets that receive, each on a thread of its own while there are processors enough, among which the kernel shares out "
            + "clients' connections; with afpacket, else one. \"auto\" is one for each processor, 8 at most.",
    };

    public static readonly FamilyKeys IPv4 = new("network.ipv4", AddressTypes.IPv4);

    public static readonly FamilyKeys IPv6 = new("network.ipv6", AddressTypes.IPv6);

    public static readonly ConfigKey<ushort[]> LocalFlag = new("network.tcp", "local_flag", TcpFlagsType.List)
    {
        Default = "[\"PA\"]",
        Doc = "The TCP flags of what this end sends, used in turn.",
    };

    public static readonly ConfigKey<ushort[]> RemoteFlag = new("network.tcp", "remote_flag", TcpFlagsType.List)
    {
        UsedBy = ConfigSide.Client,
        Default = "[\"PA\"]",
        Doc = "The TCP flags that the other end is asked to use.",
    };

    public static readonly ConfigKey<bool> Handshake = new("network.tcp", "handshake", BasicTypes.Boolean)
    {
        Default = "false",
        Doc = "Open the flow with TCP's three-way handshake and close it with FIN, so that NATs and stateful firewalls let it pass. Both ends; "
            + "a server takes clients without it as well. Not for paqet's servers.",
    };

    public static readonly ConfigKey<int?> SockBuf = new("network.pcap", "sockbuf", UnitTypes.Size(64 << 10, 1 << 30).OrAuto())
    {
        Default = "\"auto\"",
        Doc = "The kernel's capture buffer, of either raw link. \"auto\" takes 8MiB; with pcap 32MiB where the interface merges packets.",
    };

    public static readonly ConfigKey<int?> SnapLen = new("network.pcap", "snaplen", BasicTypes.Integer(128, 262_144, "bytes").OrAuto())
    {
        Default = "\"auto\"",
        Doc = "How much of each packet is captured; longer ones are dropped. \"auto\" takes the MTU, or 65535 where packets may be merged.",
    };

    public static readonly ConfigKey<bool> Promisc = new("network.pcap", "promisc", BasicTypes.Boolean)
    {
        Default = "false",
        Doc = "Capture packets for other machines too.",
    };

    public static readonly ConfigKey<bool> Immediate = new("network.pcap", "immediate", BasicTypes.Boolean)
    {
        Default = "true",
        Doc = "Hand packets over as they come rather than when a buffer is full.",
    };

    public static readonly ConfigKey<TimeSpan> Timeout = new(
        "network.pcap",
        "timeout_ms",
        UnitTypes.Duration(DurationUnit.Milliseconds, "1ms", "1000ms", whole: true))
    {
        Default = "1",
        Doc = "How long a read waits for packets.",
    };

    public static readonly ConfigKey<bool> UdpOffload = new("network.udp", "offload", BasicTypes.Boolean)
    {
        Default = "true",
        Doc = "Let the kernel cut and merge runs of datagrams (UDP_SEGMENT, UDP_GRO) as far as it can, which nobody else sees. false is for a network "
            + "card or driver that does it wrong.",
    };

    public static readonly IReadOnlyList<ConfigKey> All =
    [
        Link, Interface, Firewall, Dscp, Receivers, .. IPv4.All, .. IPv6.All, LocalFlag, RemoteFlag, Handshake, SockBuf, SnapLen, Promisc, Immediate, Timeout,
        UdpOffload,
    ];
}

/// <summary>The keys of one address family.</summary>
internal sealed class FamilyKeys(string table, ConfigType<IPAddress> addressType)
{
    public ConfigKey<IPAddress?> Address { get; } = new(table, "address", addressType.OrAuto())
    {
        Default = "\"auto\"",
        Doc = "This machine's address of this family. \"auto\" takes the interface's. A server that has one here answers for no other, else for "
            + "every one that frames come to it for.",
    };

    public ConfigKey<int> Port { get; } = new(table, "port", BasicTypes.Integer(0, 65535))
    {
        Side = ConfigSide.Client,
        Default = "0",
        Doc = "The client's own port; 0 is a random one for each connection. With another, connection i uses port + i.",
    };

    public ConfigKey<PhysicalAddress?> RouterMac { get; } = new(table, "router_mac", AddressTypes.Mac.OrAuto())
    {
        Default = "\"auto\"",
        Doc = "The Ethernet address of the next hop. \"auto\" asks the kernel's neighbour table.",
    };

    public IReadOnlyList<ConfigKey> All => [Address, Port, RouterMac];
}
