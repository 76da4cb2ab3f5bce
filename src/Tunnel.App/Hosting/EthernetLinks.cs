using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.Links;
using Tunnel.Links.AfPacket;
using Tunnel.Links.Pcap;

namespace Tunnel.App.Hosting;

/// <summary>Opens the link that [network] asks for on an interface, for one port.</summary>
internal static partial class EthernetLinks
{
    /// <exception cref="LinkException">It cannot be opened; with "auto", neither way.</exception>
    public static IPacketLink Open(NetworkConfig network, string interfaceName, int port, ILogger logger) => network.Link switch
    {
        LinkKind.AfPacket => OpenAfPacket(network.Pcap, interfaceName, port, logger),
        LinkKind.Auto => OpenEither(network.Pcap, interfaceName, port, logger),
        _ => OpenPcap(network.Pcap, interfaceName, port, logger),
    };

    private static IPacketLink OpenEither(PcapConfig pcap, string interfaceName, int port, ILogger logger)
    {
        try
        {
            return OpenAfPacket(pcap, interfaceName, port, logger);
        }
        catch (LinkException e) when (e.Fault is LinkFault.Other or LinkFault.MissingDependency)
        {
            LogFallback(logger, e.Message);
            return OpenPcap(pcap, interfaceName, port, logger);
        }
    }

    private static AfPacketLink OpenAfPacket(PcapConfig pcap, string interfaceName, int port, ILogger logger)
    {
        var options = new AfPacketOptions { Interface = interfaceName, FirstPort = port };
        // One knob for the capture buffer, whichever way it is captured.
        if (pcap.SockBuf is { } bytes)
            options = options with { ReceiveBufferBytes = bytes };
        return AfPacketLink.Open(options, notice => LogNotice(logger, notice));
    }

    private static PcapLink OpenPcap(PcapConfig pcap, string interfaceName, int port, ILogger logger)
    {
        var options = new PcapOptions
        {
            Interface = interfaceName,
            FirstPort = port,
            SnapLength = pcap.SnapLen,
            Promiscuous = pcap.Promisc,
            Immediate = pcap.Immediate,
            TimeoutMilliseconds = (int)pcap.Timeout.TotalMilliseconds,
            BufferBytes = pcap.SockBuf,
        };
        return PcapLink.Open(options, notice => LogNotice(logger, notice));
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "packet sockets do not work here ({Reason}); going on with libpcap")]
    private static partial void LogFallback(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Notice}")]
    private static partial void LogNotice(ILogger logger, string notice);
}
