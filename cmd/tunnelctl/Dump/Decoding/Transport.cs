using System.Buffers.Binary;
using Tunnel.Protocol.Wire;

namespace Tunnel.Ctl.Dump.Decoding;

/// <summary>Who sends what to whom in a frame, over TCP or UDP: what a tunnel may travel in.</summary>
/// <param name="Source">The sender.</param>
/// <param name="Destination">The receiver.</param>
/// <param name="TcpFlags">A bitmask of <see cref="Tunnel.Protocol.Wire.TcpFlags"/>; 0 for UDP.</param>
/// <param name="Payload">Where in the frame.</param>
internal readonly record struct Transport(Endpoint Source, Endpoint Destination, ushort TcpFlags, Range Payload)
{
    private const int UdpHeader = 8;

    /// <summary>False for anything but TCP and UDP over IP.</summary>
    public static bool TryParse(ReadOnlySpan<byte> frame, out Transport transport)
    {
        transport = default;
        if (EthernetView.TryParse(frame, out EthernetView ethernet) != WireDrop.None)
            return false;
        if (ethernet.EtherType == EtherTypes.IPv4 && IPv4View.TryParse(ethernet.Payload, out IPv4View v4) == WireDrop.None)
            return TryParse(frame, v4.Source, v4.Destination, v4.Protocol, v4.Payload, out transport);
        return ethernet.EtherType == EtherTypes.IPv6 && IPv6View.TryParse(ethernet.Payload, out IPv6View v6) == WireDrop.None
            && TryParse(frame, v6.Source, v6.Destination, v6.Protocol, v6.Payload, out transport);
    }

    private static bool TryParse(
        ReadOnlySpan<byte> frame, ReadOnlySpan<byte> source, ReadOnlySpan<byte> destination, byte protocol, ReadOnlySpan<byte> bytes,
        out Transport transport)
    {
        transport = default;
        if (protocol == IPProtocols.Tcp && TcpView.TryParse(bytes, out TcpView tcp) == WireDrop.None)
        {
            transport = new Transport(
                Endpoint.FromBytes(source, tcp.SourcePort), Endpoint.FromBytes(destination, tcp.DestinationPort), tcp.Flags,
                PlaceOf(frame, tcp.Payload));
            return true;
        }

        if (protocol != IPProtocols.Udp || bytes.Length < UdpHeader)
            return false;
        ushort from = BinaryPrimitives.ReadUInt16BigEndian(bytes), to = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        transport = new Transport(
            Endpoint.FromBytes(source, from), Endpoint.FromBytes(destination, to), 0, PlaceOf(frame, bytes[UdpHeader..]));
        return true;
    }

    private static Range PlaceOf(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> part)
    {
        if (part.IsEmpty || !frame.Overlaps(part, out int at))
            return ..0;
        return at..(at + part.Length);
    }
}
