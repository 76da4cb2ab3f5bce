using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;

namespace Tunnel.Protocol.Wire;

/// <summary>
/// A frame as one line of text, in the manner of tcpdump:
/// <c>10.79.0.1.40001 > 10.79.0.2.9999: Flags [P.], seq 1, ack 2, win 65535, options [nop,nop,TS val 1 ecr 2], length 120</c>.
/// For people; it allocates.
/// </summary>
public static class FramePrinter
{
    private const int UdpHeaderLength = 8;

    /// <summary>Any bytes have a line.</summary>
    public static string Print(ReadOnlySpan<byte> frame)
    {
        WireDrop drop = EthernetView.TryParse(frame, out EthernetView ethernet);
        if (drop != WireDrop.None)
            return Malformed(drop, frame);

        StringBuilder line = new();
        for (int tag = 0; tag < ethernet.TagCount; tag++)
            line.Append(CultureInfo.InvariantCulture, $"vlan {ethernet.VlanId(tag)}, p {ethernet.VlanPriority(tag)}, ");
        AppendPacket(line, ethernet);
        return line.ToString();
    }

    private static void AppendPacket(StringBuilder line, EthernetView ethernet)
    {
        if (ethernet.EtherType == EtherTypes.IPv4)
            AppendIPv4(line, ethernet.Payload);
        else if (ethernet.EtherType == EtherTypes.IPv6)
            AppendIPv6(line, ethernet.Payload);
        else
            line.Append(CultureInfo.InvariantCulture, $"ethertype 0x{ethernet.EtherType:x4}, length {ethernet.Payload.Length}");
    }

    private static void AppendIPv4(StringBuilder line, ReadOnlySpan<byte> packet)
    {
        WireDrop drop = IPv4View.TryParse(packet, out IPv4View ip);
        if (drop == WireDrop.None)
            AppendTransport(line, new IPAddress(ip.Source), new IPAddress(ip.Destination), ip.Protocol, ip.Payload);
        else
            line.Append(Malformed(drop, packet));
    }

    private static void AppendIPv6(StringBuilder line, ReadOnlySpan<byte> packet)
    {
        WireDrop drop = IPv6View.TryParse(packet, out IPv6View ip);
        if (drop == WireDrop.None)
            AppendTransport(line, new IPAddress(ip.Source), new IPAddress(ip.Destination), ip.Protocol, ip.Payload);
        else
            line.Append(Malformed(drop, packet));
    }

    private static void AppendTransport(
        StringBuilder line, IPAddress source, IPAddress destination, byte protocol, ReadOnlySpan<byte> payload)
    {
        if (protocol == IPProtocols.Tcp)
            AppendTcp(line, source, destination, payload);
        else if (protocol == IPProtocols.Udp && payload.Length >= UdpHeaderLength)
            AppendUdp(line, source, destination, payload);
        else
            line.Append(CultureInfo.InvariantCulture, $"{source} > {destination}: protocol {protocol}, length {payload.Length}");
    }

    private static void AppendUdp(StringBuilder line, IPAddress source, IPAddress destination, ReadOnlySpan<byte> datagram)
    {
        int sourcePort = BinaryPrimitives.ReadUInt16BigEndian(datagram);
        int destinationPort = BinaryPrimitives.ReadUInt16BigEndian(datagram[2..]);
        int length = datagram.Length - UdpHeaderLength;
        line.Append(CultureInfo.InvariantCulture, $"{source}.{sourcePort} > {destination}.{destinationPort}: UDP, length {length}");
    }

    private static void AppendTcp(StringBuilder line, IPAddress source, IPAddress destination, ReadOnlySpan<byte> segment)
    {
        WireDrop drop = TcpView.TryParse(segment, out TcpView tcp);
        if (drop != WireDrop.None)
        {
            line.Append($"{source} > {destination}: ").Append(Malformed(drop, segment));
            return;
        }

        line.Append(CultureInfo.InvariantCulture, $"{source}.{tcp.SourcePort} > {destination}.{tcp.DestinationPort}: ");
        line.Append(CultureInfo.InvariantCulture, $"Flags [{FlagSigns(tcp.Flags)}], seq {tcp.Sequence}");
        if ((tcp.Flags & TcpFlags.Ack) != 0)
            line.Append(CultureInfo.InvariantCulture, $", ack {tcp.Acknowledgment}");
        line.Append(CultureInfo.InvariantCulture, $", win {tcp.Window}");
        if (!tcp.Options.IsEmpty)
            AppendOptions(line, tcp.Options);
        line.Append(CultureInfo.InvariantCulture, $", length {tcp.Payload.Length}");
    }

    // tcpdump's signs: a dot is ACK, W is CWR, e is NS.
    private static string FlagSigns(ushort flags) =>
        flags == 0 ? "none" : TcpFlagNames.Format(flags).Replace('A', '.').Replace('C', 'W').Replace('N', 'e');

    private static void AppendOptions(StringBuilder line, TcpOptions options)
    {
        line.Append(", options [");
        int start = line.Length;
        TcpOptions.Enumerator each = options.GetEnumerator();
        while (each.MoveNext())
        {
            AppendComma(line, start);
            AppendOption(line, each.Current);
        }

        if (each.Malformed)
        {
            AppendComma(line, start);
            line.Append("malformed");
        }

        line.Append(']');
    }

    private static void AppendComma(StringBuilder line, int start)
    {
        if (line.Length > start)
            line.Append(',');
    }

    private static void AppendOption(StringBuilder line, TcpOption option)
    {
        if (option.TryGetTimestamps(out uint value, out uint echo))
            line.Append(CultureInfo.InvariantCulture, $"TS val {value} ecr {echo}");
        else if (option.TryGetMaximumSegmentSize(out ushort size))
            line.Append(CultureInfo.InvariantCulture, $"mss {size}");
        else if (option.TryGetWindowScale(out byte shift))
            line.Append(CultureInfo.InvariantCulture, $"wscale {shift}");
        else if (option.IsSackPermitted)
            line.Append("sackOK");
        else if (option.Kind == TcpOption.NoOperation)
            line.Append("nop");
        else if (option.Kind == TcpOption.End)
            line.Append("eol");
        else
            line.Append(CultureInfo.InvariantCulture, $"unknown-{option.Kind} 0x{Convert.ToHexStringLower(option.Data)}");
    }

    private static string Malformed(WireDrop drop, ReadOnlySpan<byte> bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"malformed ({drop}), length {bytes.Length}");
}
