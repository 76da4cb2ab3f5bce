using Tunnel.App.Config;
using Tunnel.Links.Pcap;

namespace Tunnel.App.Hosting;

/// <summary>From [network.pcap] to what the link takes.</summary>
internal static class PcapSettings
{
    public static PcapOptions Of(PcapConfig pcap, string interfaceName, int port) => new()
    {
        Interface = interfaceName,
        FirstPort = port,
        SnapLength = pcap.SnapLen,
        Promiscuous = pcap.Promisc,
        Immediate = pcap.Immediate,
        TimeoutMilliseconds = (int)pcap.Timeout.TotalMilliseconds,
        BufferBytes = pcap.SockBuf,
    };
}
