using System.Buffers.Binary;
using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Links;

/// <summary>Ethernet frames with a long TCP payload and checksums as a link wants them that has them cut.</summary>
internal static class MergedFrames
{
    public const uint FirstSequence = 0xFFFF_F000;

    private const int Ethernet = 14;
    private const int Tcp = 20;

    public static int HeaderLength(bool v6) => Ethernet + (v6 ? 40 : 20) + Tcp;

    /// <summary>The payload's bytes depend on their place and on <paramref name="seed"/>.</summary>
    public static byte[] Create(bool v6, int sourcePort, int destinationPort, int payload, int seed)
    {
        byte[] frame = new byte[HeaderLength(v6) + payload];
        new byte[] { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 }.CopyTo(frame, 0);
        Span<byte> ip = frame.AsSpan(Ethernet);
        int tcpLength = Tcp + payload;
        Span<byte> tcp = ip[^tcpLength..];
        uint pseudo = v6 ? WriteIPv6(frame, ip, tcpLength) : WriteIPv4(frame, ip, tcpLength);
        BinaryPrimitives.WriteUInt16BigEndian(tcp, (ushort)sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], (ushort)destinationPort);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], FirstSequence);
        tcp[12] = 0x50;
        tcp[13] = 0x10;
        tcp[14] = 0xFF;
        BinaryPrimitives.WriteUInt16BigEndian(tcp[16..], (ushort)~InternetChecksum.Fold(pseudo));
        for (int i = 0; i < payload; i++)
            tcp[Tcp + i] = At(i, seed);
        return frame;
    }

    public static byte At(int place, int seed) => (byte)(((place * 167) + (place >> 8) + seed) % 251);

    private static uint WriteIPv4(Span<byte> frame, Span<byte> ip, int tcpLength)
    {
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], EtherTypes.IPv4);
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(20 + tcpLength));
        ip[6] = 0x40;
        ip[8] = 64;
        ip[9] = IPProtocols.Tcp;
        new byte[] { 10, 77, 0, 1, 10, 77, 0, 2 }.CopyTo(ip[12..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Fold(InternetChecksum.Sum(ip[..20])));
        return InternetChecksum.PseudoHeader(ip[12..16], ip[16..20], IPProtocols.Tcp, tcpLength);
    }

    private static uint WriteIPv6(Span<byte> frame, Span<byte> ip, int tcpLength)
    {
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], EtherTypes.IPv6);
        ip[0] = 0x60;
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)tcpLength);
        ip[6] = IPProtocols.Tcp;
        ip[7] = 64;
        ip[8] = 0xFD;
        ip[23] = 1;
        ip[24] = 0xFD;
        ip[39] = 2;
        return InternetChecksum.PseudoHeader(ip[8..24], ip[24..40], IPProtocols.Tcp, tcpLength);
    }
}
