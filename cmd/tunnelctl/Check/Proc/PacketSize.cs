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
    /// <param name="network">The link.</param>
    /// <param name="kcp">The guard.</param>
    /// <param name="mtu">Bytes of the longest datagram.</param>
    /// <param name="isIPv6">Or IPv4.</param>
    public static int Of(NetworkConfig network, KcpConfig kcp, int mtu, bool isIPv6) =>
        mtu + (isIPv6 ? IPv6Header : IPv4Header) + (network.Link == LinkKind.Udp ? UdpHeader : TcpHeader) + (kcp.Guard is null ? 0 : GuardPrefix);
}
