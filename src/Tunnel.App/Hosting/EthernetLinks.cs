using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.Links;
using Tunnel.Links.AfPacket;
using Tunnel.Links.Pcap;

namespace Tunnel.App.Hosting;

/// <summary>Opens the link that [network] asks for on an interface, for one port or several consecutive ones; for a server, several links.</summary>
internal static partial class EthernetLinks
{
    /// <exception cref="LinkException">It cannot be opened; with "auto", neither way.</exception>
    public static IPacketLink Open(NetworkConfig network, string interfaceName, PortSpan ports, ILogger logger) =>
        OpenGroup(network, interfaceName, ports, 1, logger)[0];

    /// <summary>Links among which the kernel shares out the flows: as many as are asked for, or one where that cannot be.</summary>
    /// <exception cref="LinkException">They cannot be opened; with "auto", neither way.</exception>
    public static IReadOnlyList<IPacketLink> OpenGroup(
        NetworkConfig network, string interfaceName, PortSpan ports, int count, ILogger logger) => network.Link switch
        {
            LinkKind.AfPacket => OpenAfPacket(network.Pcap, interfaceName, ports, count, logger),
            LinkKind.Auto => OpenEither(
                () => OpenAfPacket(network.Pcap, interfaceName, ports, count, logger),
                () => OpenPcap(network.Pcap, interfaceName, ports, logger),
                logger),
            _ => OpenPcap(network.Pcap, interfaceName, ports, logger),
        };

    /// <summary>
    /// Packet sockets, or libpcap where the kernel refuses those. Want of privilege, or an interface that is not there, is no reason to
    /// try the other one: it would need the same.
    /// </summary>
    internal static IReadOnlyList<IPacketLink> OpenEither(
        Func<IReadOnlyList<IPacketLink>> afPacket, Func<IReadOnlyList<IPacketLink>> pcap, ILogger logger)
    {
        try
        {
            return afPacket();
        }
        catch (LinkException e) when (e.Fault is LinkFault.Other or LinkFault.MissingDependency)
        {
            IReadOnlyList<IPacketLink> links = OpenSecond(pcap, e.Message);
            LogFallback(logger, e.Message);
            return links;
        }
    }

    private static IReadOnlyList<IPacketLink> OpenSecond(Func<IReadOnlyList<IPacketLink>> pcap, string refusal)
    {
        try
        {
            return pcap();
        }
        catch (LinkException e) when (e.Fault is LinkFault.Other or LinkFault.MissingDependency)
        {
            throw new LinkException(
                e.Fault, $"no raw link works here: {refusal}. {e.Message}. network.link = \"udp\", at both ends, needs neither", e);
        }
    }

    private static IReadOnlyList<IPacketLink> OpenAfPacket(PcapConfig pcap, string interfaceName, PortSpan ports, int count, ILogger logger)
    {
        var options = new AfPacketOptions { Interface = interfaceName, FirstPort = ports.First, LastPort = ports.Last };
        // One knob for the capture buffer, whichever way it is captured.
        if (pcap.SockBuf is { } bytes)
            options = options with { ReceiveBufferBytes = bytes };
        return AfPacketLink.OpenGroup(options, count, notice => LogNotice(logger, notice));
    }

    private static IReadOnlyList<IPacketLink> OpenPcap(PcapConfig pcap, string interfaceName, PortSpan ports, ILogger logger)
    {
        var options = new PcapOptions
        {
            Interface = interfaceName,
            FirstPort = ports.First,
            LastPort = ports.Last,
            SnapLength = pcap.SnapLen,
            Promiscuous = pcap.Promisc,
            Immediate = pcap.Immediate,
            TimeoutMilliseconds = (int)pcap.Timeout.TotalMilliseconds,
            BufferBytes = pcap.SockBuf,
        };
        return [PcapLink.Open(options, notice => LogNotice(logger, notice))];
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "packet sockets do not work here: {Reason}; going on with libpcap")]
    private static partial void LogFallback(ILogger logger, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Notice}")]
    private static partial void LogNotice(ILogger logger, string notice);
}

/// <summary>Consecutive ports.</summary>
internal readonly record struct PortSpan(int First, int Count = 1)
{
    public int Last => First + Count - 1;

    public override string ToString() => Count == 1 ? $"port {First}" : $"ports {First} to {Last}";
}
