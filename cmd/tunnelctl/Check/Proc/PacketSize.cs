using Tunnel.App.Config;

namespace Tunnel.Ctl.Check.Proc;

/// <summary>How long the tunnel's packets become on an interface.</summary>
internal static class PacketSize
{
    private const int IPv4Header = 20;
    private const int IPv6Header = 40;
    private const int UdpHeader = 8;

    /// <summary>With the timestamp option, which every segment but the rare other has.</summary>
    private const int TcpHeader = 32;

    private const int GuardPrefix = 12;

    /// <summary>Bytes of the longest packet, IP header included, Ethernet's not, as an interface's MTU counts.</summary>
    public static int Of(NetworkConfig network, KcpConfig kcp, bool isIPv6) =>
        kcp.Mtu + (isIPv6 ? IPv6Header : IPv4Header) + (network.Link == LinkKind.Udp ? UdpHeader : TcpHeader) + (kcp.Guard is null ? 0 : GuardPrefix);
}
