using System.Net;
using System.Net.NetworkInformation;

namespace Tunnel.App.Config;

/// <summary>How datagrams leave and enter this machine.</summary>
public sealed record NetworkConfig
{
    public required LinkKind Link { get; init; }

    /// <summary>Null: the one that the route to the peer goes through.</summary>
    public required string? Interface { get; init; }

    /// <summary>Whether the process installs and removes the firewall rules that it needs.</summary>
    public required bool Firewall { get; init; }

    /// <summary>The differentiated services code point of what is sent, 0 to 63.</summary>
    public required int Dscp { get; init; }

    /// <summary>A server's receiving threads, with packet sockets; null: by the processors.</summary>
    public required int? Receivers { get; init; }

    public required AddressConfig IPv4 { get; init; }

    public required AddressConfig IPv6 { get; init; }

    public required TcpFlagsConfig Tcp { get; init; }

    public required PcapConfig Pcap { get; init; }

    /// <summary>Whether the udp link lets the kernel cut and merge runs of datagrams.</summary>
    public required bool UdpOffload { get; init; }
}

public enum LinkKind
{
    /// <summary>Packet sockets where they work, else libpcap.</summary>
    Auto,

    /// <summary>Raw TCP segments through packet sockets, cut and merged by the kernel between two ends of ours.</summary>
    AfPacket,

    /// <summary>Raw TCP segments through libpcap.</summary>
    Pcap,

    /// <summary>Ordinary UDP datagrams.</summary>
    Udp,
}

/// <summary>One address family.</summary>
/// <param name="Address">This machine's address; null: found.</param>
/// <param name="Port">The client's own port; 0: random.</param>
/// <param name="RouterMac">The next hop's Ethernet address; null: found.</param>
public sealed record AddressConfig(IPAddress? Address, int Port, PhysicalAddress? RouterMac);

/// <summary>
/// The TCP flags that segments wear, each list used in turn. Bits as in the TCP header: FIN 1, SYN 2, RST 4, PSH 8, ACK 0x10,
/// URG 0x20, ECE 0x40, CWR 0x80, NS 0x100. The arrays are not to be written to.
/// </summary>
/// <param name="Local">What this end sends.</param>
/// <param name="Remote">What the other end is asked to send.</param>
/// <param name="Handshake">Whether flows are opened by a real handshake; a server takes both kinds.</param>
public sealed record TcpFlagsConfig(ushort[] Local, ushort[] Remote, bool Handshake);

/// <summary>libpcap's settings.</summary>
/// <param name="SockBuf">The kernel's capture buffer, in bytes; null: by the interface.</param>
/// <param name="SnapLen">Bytes captured of each packet; null: by the interface.</param>
/// <param name="Promisc">Whether packets for other machines are captured too.</param>
/// <param name="Immediate">Whether packets are handed over as they come, not when a buffer is full.</param>
/// <param name="Timeout">How long a read waits.</param>
public sealed record PcapConfig(int? SockBuf, int? SnapLen, bool Promisc, bool Immediate, TimeSpan Timeout);
