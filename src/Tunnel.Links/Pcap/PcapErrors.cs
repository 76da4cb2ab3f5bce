namespace Tunnel.Links.Pcap;

/// <summary>libpcap's status codes as errors that say what to do.</summary>
internal static class PcapErrors
{
    internal static LinkException Activation(string interfaceName, int status, string detail) => status switch
    {
        LibPcap.NoSuchDevice => new LinkException(
            LinkFault.Network,
            $"there is no interface {interfaceName} ({detail}): `ip link` lists those that exist; one that comes later will be found then"),
        LibPcap.PermissionDenied or LibPcap.PromiscuousPermissionDenied => new LinkException(
            LinkFault.Privilege,
            $"no permission to capture on {interfaceName}: CAP_NET_RAW is needed ({detail}). Run as root, or with systemd's "
            + "AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN, or docker's --cap-add NET_RAW --cap-add NET_ADMIN, or once "
            + "`setcap cap_net_raw,cap_net_admin+ep` on the binary; network.link = \"udp\", at both ends, needs no privilege"),
        LibPcap.InterfaceNotUp => new LinkException(
            LinkFault.Network,
            $"interface {interfaceName} is down: `ip link set {interfaceName} up`"),
        LibPcap.CaptureNotSupported => new LinkException(
            LinkFault.Network,
            $"interface {interfaceName} cannot capture ({detail}): choose another interface or the udp link"),
        _ => new LinkException(LinkFault.Other, $"libpcap cannot capture on {interfaceName}: {detail}"),
    };
}
