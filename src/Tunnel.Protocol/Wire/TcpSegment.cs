namespace Tunnel.Protocol.Wire;

/// <summary>
/// What the tunnel reads from a captured frame, from Ethernet through IP to TCP in one go. Like the peers of the paqet wire format it
/// believes everything but the structure: checksums, flags and sequence numbers are not checked, and offloading leaves checksums
/// unfinished in captured frames anyway. The payload may be many segments' that the kernel or the interface merged.
/// </summary>
public readonly ref struct TcpSegment
{
    private TcpSegment(MacAddress sourceMac, Endpoint source, Endpoint destination, TcpView tcp)
    {
        SourceMac = sourceMac;
        Source = source;
        Destination = destination;
        Flags = tcp.Flags;
        Sequence = tcp.Sequence;
        Acknowledgment = tcp.Acknowledgment;
        Payload = tcp.Payload;
        HasTimestamps = tcp.Options.TryGetTimestamps(out uint value, out uint echo);
        TimestampValue = value;
        TimestampEcho = echo;
    }

    /// <summary><see cref="WireDrop.None"/> and the segment, or why there is none.</summary>
    /// <param name="frame">A whole Ethernet frame, without its check sequence.</param>
    /// <param name="segment">Valid as long as the frame's bytes are.</param>
    public static WireDrop TryParse(ReadOnlySpan<byte> frame, out TcpSegment segment)
    {
        segment = default;
        WireDrop drop = EthernetView.TryParse(frame, out EthernetView ethernet);
        if (drop != WireDrop.None)
            return drop;
        return ethernet.EtherType switch
        {
            EtherTypes.IPv4 => ParseIPv4(ethernet, out segment),
            EtherTypes.IPv6 => ParseIPv6(ethernet, out segment),
            _ => WireDrop.NotIP,
        };
    }

    /// <summary>Where an answer may be sent to without asking for a route.</summary>
    public MacAddress SourceMac { get; }

    public Endpoint Source { get; }

    public Endpoint Destination { get; }

    /// <summary>A bitmask of <see cref="TcpFlags"/>.</summary>
    public ushort Flags { get; }

    public uint Sequence { get; }

    public uint Acknowledgment { get; }

    /// <summary>Whether there was a timestamps option; without it both timestamps are zero.</summary>
    public bool HasTimestamps { get; }

    public uint TimestampValue { get; }

    public uint TimestampEcho { get; }

    /// <summary>Padding excluded; possibly empty.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    private static WireDrop ParseIPv4(EthernetView ethernet, out TcpSegment segment)
    {
        segment = default;
        WireDrop drop = IPv4View.TryParse(ethernet.Payload, out IPv4View ip);
        if (drop != WireDrop.None)
            return drop;
        return ip.Protocol == IPProtocols.Tcp
            ? ParseTcp(ethernet, ip.Source, ip.Destination, ip.Payload, out segment)
            : WireDrop.NotTcp;
    }

    private static WireDrop ParseIPv6(EthernetView ethernet, out TcpSegment segment)
    {
        segment = default;
        WireDrop drop = IPv6View.TryParse(ethernet.Payload, out IPv6View ip);
        if (drop != WireDrop.None)
            return drop;
        return ip.Protocol == IPProtocols.Tcp
            ? ParseTcp(ethernet, ip.Source, ip.Destination, ip.Payload, out segment)
            : WireDrop.NotTcp;
    }

    private static WireDrop ParseTcp(
        EthernetView ethernet, ReadOnlySpan<byte> source, ReadOnlySpan<byte> destination, ReadOnlySpan<byte> bytes, out TcpSegment segment)
    {
        segment = default;
        WireDrop drop = TcpView.TryParse(bytes, out TcpView tcp);
        if (drop != WireDrop.None)
            return drop;

        Endpoint from = Endpoint.FromBytes(source, tcp.SourcePort);
        Endpoint to = Endpoint.FromBytes(destination, tcp.DestinationPort);
        segment = new(ethernet.Source, from, to, tcp);
        return WireDrop.None;
    }
}
