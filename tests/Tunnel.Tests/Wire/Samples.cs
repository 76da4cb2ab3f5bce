using System.Buffers.Binary;
using System.Net;
using Tunnel.Protocol.Wire;
using Tunnel.Tests.Vectors;

namespace Tunnel.Tests.Wire;

/// <summary>Frames to test with, and the ways in which links and peers change them.</summary>
internal static class Samples
{
    public static readonly FlowAddresses IPv4 = Addresses("10.79.0.1:40001", "10.79.0.2:9999");
    public static readonly FlowAddresses IPv6 = Addresses("[fd00::1]:40001", "[fd00::2]:9999");

    public static byte[] Payload(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(7 * i + 3))];

    /// <summary>A frame that the crafted flow wrote around <see cref="Payload"/>.</summary>
    public static byte[] Crafted(FlowAddresses addresses, int payloadLength, ushort flags = TcpFlags.Default, uint start = 1000)
    {
        CraftedFlow flow = new(addresses, dscp: 46, new CraftCounter(start));
        int header = flow.HeaderLength(flags);
        byte[] frame = [.. new byte[header], .. Payload(payloadLength)];
        flow.Write(frame, flags);
        return frame;
    }

    /// <summary>Puts tags behind the addresses; each is a type and a tag control, outermost first.</summary>
    public static byte[] WithTags(byte[] frame, params (ushort Type, ushort Control)[] tags)
    {
        byte[] bytes = [.. tags.SelectMany(t => new[] { (byte)(t.Type >> 8), (byte)t.Type, (byte)(t.Control >> 8), (byte)t.Control })];
        return [.. frame[..12], .. bytes, .. frame[12..]];
    }

    /// <summary>Puts extension headers between an IPv6 frame's fixed header and its TCP header; their next headers are filled in.</summary>
    public static byte[] WithExtensions(byte[] frame, params (byte Kind, byte[] Bytes)[] extensions)
    {
        const int ip = EthernetView.HeaderLength;
        const int end = ip + IPv6View.FixedHeaderLength;
        byte[] middle = [.. extensions.SelectMany((e, i) => (byte[])
            [i + 1 < extensions.Length ? extensions[i + 1].Kind : IPProtocols.Tcp, .. e.Bytes[1..]])];
        byte[] extended = [.. frame[..end], .. middle, .. frame[end..]];
        extended[ip + 6] = extensions[0].Kind;
        BinaryPrimitives.WriteUInt16BigEndian(extended.AsSpan(ip + 4), (ushort)(extended.Length - end));
        return extended;
    }

    /// <summary>One of each shape that is read, none of them empty.</summary>
    public static List<byte[]> Valid()
    {
        byte[] six = Crafted(IPv6, 40);
        return
        [
            Crafted(IPv4, 100),
            Crafted(IPv4, 20, TcpFlags.Syn),
            six,
            WithTags(Crafted(IPv4, 30), (EtherTypes.CustomerTag, 100)),
            WithTags(six, (EtherTypes.ServiceTag, 5), (EtherTypes.CustomerTag, 100)),
            WithExtensions(six, (IPProtocols.HopByHop, new byte[8]), (IPProtocols.Routing, [0, 1, .. new byte[14]])),
            WithExtensions(six, (IPProtocols.DestinationOptions, new byte[8]), (IPProtocols.Fragment, new byte[8])),
            .. Recordings.All.SelectMany(name => PcapFile.Read(name).Take(4)).Select(packet => packet.Frame),
        ];
    }

    private static FlowAddresses Addresses(string source, string destination) => new(
        MacAddress.FromBytes([2, 0, 0, 0, 0, 1]),
        MacAddress.FromBytes([2, 0, 0, 0, 0, 2]),
        Endpoint.FromIPEndPoint(IPEndPoint.Parse(source)),
        Endpoint.FromIPEndPoint(IPEndPoint.Parse(destination)));
}
