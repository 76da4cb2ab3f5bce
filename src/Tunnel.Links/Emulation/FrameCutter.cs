using System.Buffers.Binary;
using Tunnel.Links.AfPacket;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.Emulation;

/// <summary>
/// Cuts merged frames into the packets that they stand for, as the device would: a network loses and delays packets, not bursts. One
/// owner at a time.
/// </summary>
internal sealed class FrameCutter
{
    private const int Types = 12;
    private const int TagLength = 4;
    private const int MaximumTags = 2;
    private const int IPv4Header = 20;
    private const int IPv6Header = 40;
    private const int TcpHeader = 20;
    private const int UdpHeader = 8;
    private const int TcpChecksum = 16;
    private const int UdpChecksum = 6;
    private const byte Tcp = 6;
    private const byte Udp = 17;
    private const byte FinAndPush = 0x09;
    private const byte Reduced = 0x80;

    private readonly byte[] _part = new byte[65536 + 256];

    /// <summary>Hands on every packet of a frame, with its header.</summary>
    /// <param name="frame">As it came off a packet socket.</param>
    /// <param name="header">What came in front of it.</param>
    /// <param name="finish">Finish checksums here: a device that finishes them later would hide what happens to the packet on its way.</param>
    /// <param name="path">Where the packets go.</param>
    internal void Cut(ReadOnlySpan<byte> frame, VirtioHeader header, bool finish, ImpairedPath path)
    {
        if (header.Kind == 0 || header.PartLength == 0 || !TryFind(frame, header.Kind, out Layout at))
        {
            Hand(frame, header, finish, path);
            return;
        }

        int payload = frame.Length - at.Payload, number = 0;
        for (int from = 0; from < payload; from += header.PartLength, number++)
        {
            int length = Math.Min(header.PartLength, payload - from);
            Span<byte> part = _part.AsSpan(0, at.Payload + length);
            frame[..at.Payload].CopyTo(part);
            frame.Slice(at.Payload + from, length).CopyTo(part[at.Payload..]);
            Renumber(part, at, number, from, isLast: from + length == payload);
            Hand(part, VirtioHeader.Unfinished(at.Transport, at.Checksum), finish, path);
        }
    }

    private void Hand(ReadOnlySpan<byte> frame, VirtioHeader header, bool finish, ImpairedPath path)
    {
        int from = header.UnfinishedFrom, at = from + header.UnfinishedAt;
        if (!finish || header.Kind != 0 || from < 0 || at + 2 > frame.Length)
        {
            path.Offer(frame, header.Tag);
            return;
        }

        Span<byte> whole = _part.AsSpan(0, frame.Length);
        frame.CopyTo(whole);
        ushort sum = (ushort)~Fold(Sum(whole[from..], 0));
        BinaryPrimitives.WriteUInt16BigEndian(whole[at..], sum == 0 ? ushort.MaxValue : sum);
        path.Offer(whole, 0);
    }

    private static void Renumber(Span<byte> part, Layout at, int number, int from, bool isLast)
    {
        Span<byte> transport = part[at.Transport..];
        if (at.IsUdp)
        {
            BinaryPrimitives.WriteUInt16BigEndian(transport[4..], (ushort)transport.Length);
        }
        else
        {
            BinaryPrimitives.WriteUInt32BigEndian(transport[4..], BinaryPrimitives.ReadUInt32BigEndian(transport[4..]) + (uint)from);
            transport[13] &= (byte)~((isLast ? 0 : FinAndPush) | (number == 0 ? 0 : Reduced));
        }

        uint addresses = at.IsV6 ? Sum(part.Slice(at.IP + 8, 32), 0) : Sum(part.Slice(at.IP + 12, 8), 0);
        uint pseudo = addresses + (uint)transport.Length + (at.IsUdp ? Udp : Tcp);
        BinaryPrimitives.WriteUInt16BigEndian(transport[at.Checksum..], Fold(pseudo));
        WriteIP(part[at.IP..], at.IsV6, number);
    }

    private static void WriteIP(Span<byte> packet, bool v6, int number)
    {
        if (v6)
        {
            BinaryPrimitives.WriteUInt16BigEndian(packet[4..], (ushort)(packet.Length - IPv6Header));
            return;
        }

        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], (ushort)packet.Length);
        BinaryPrimitives.WriteUInt16BigEndian(packet[4..], (ushort)(BinaryPrimitives.ReadUInt16BigEndian(packet[4..]) + number));
        packet[10] = packet[11] = 0;
        ushort sum = (ushort)~Fold(Sum(packet[..((packet[0] & 0xF) * 4)], 0));
        BinaryPrimitives.WriteUInt16BigEndian(packet[10..], sum);
    }

    /// <summary>Where the headers are; false when they are not what the kernel merges.</summary>
    private static bool TryFind(ReadOnlySpan<byte> frame, byte kind, out Layout at)
    {
        at = default;
        int type = Types;
        for (int tags = 0; tags <= MaximumTags && frame.Length >= type + 2 + IPv4Header; tags++, type += TagLength)
        {
            ushort value = BinaryPrimitives.ReadUInt16BigEndian(frame[type..]);
            if (value is ETH_P_IP or ETH_P_IPV6)
                return TryFindTransport(frame, type + 2, value == ETH_P_IPV6, kind == VIRTIO_NET_HDR_GSO_UDP_L4, out at);
        }

        return false;
    }

    private static bool TryFindTransport(ReadOnlySpan<byte> frame, int ip, bool v6, bool udp, out Layout at)
    {
        int header = v6 ? IPv6Header : (frame[ip] & 0xF) * 4;
        int transport = ip + header;
        at = new Layout(ip, transport, 0, udp ? UdpChecksum : TcpChecksum, v6, udp);
        if (header < IPv4Header || frame.Length < transport + (udp ? UdpHeader : TcpHeader) || frame[ip + (v6 ? 6 : 9)] != (udp ? Udp : Tcp))
            return false;
        at = at with { Payload = transport + (udp ? UdpHeader : (frame[transport + 12] >> 4) * 4) };
        return at.Payload <= frame.Length && at.Payload >= transport + UdpHeader;
    }

    private static uint Sum(ReadOnlySpan<byte> bytes, uint sum)
    {
        for (; bytes.Length >= 2; bytes = bytes[2..])
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes);
        return bytes.IsEmpty ? sum : sum + ((uint)bytes[0] << 8);
    }

    private static ushort Fold(uint sum)
    {
        sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)((sum & 0xFFFF) + (sum >> 16));
    }

    private readonly record struct Layout(int IP, int Transport, int Payload, int Checksum, bool IsV6, bool IsUdp);
}
