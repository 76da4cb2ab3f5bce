using System.Buffers.Binary;

namespace Tunnel.Protocol.Wire;

/// <summary>
/// Puts the Ethernet, IP and TCP headers of the paqet wire format in front of datagrams from one endpoint to another. All that a flow's
/// segments have in common lies ready in two templates (with SYN, without); a segment takes the counter's next number c, from which its
/// numbers follow, all modulo 2^32, T0 being <see cref="CraftCounter.Start"/>:
/// <code>
/// tsval = T0 + c / 8
/// without SYN:  options nop nop timestamps(tsval, tsval - (c mod 200 + 50))
///               seq = T0 + 128 c,  ack = seq - c mod 1024 + 1400
/// with SYN:     options MSS 1460, SACK permitted, timestamps(tsval, 0), nop, window scale 8
///               seq = 1 + c mod 8,  ack = seq + 1 if ACK is set, else 0
/// </code>
/// The window is 65535; IPv4 has identification 0, DF and TTL 64; IPv6 has flow label 0 and hop limit 64.
/// </summary>
public sealed class CraftedFlow
{
    /// <summary>The most that any header takes: the headroom to keep in front of a datagram.</summary>
    public const int MaxHeaderLength = EthernetView.HeaderLength + IPv6View.FixedHeaderLength + TcpView.MinHeaderLength + 20;

    private readonly CraftCounter _counter;
    private readonly HeaderTemplate _plain;
    private readonly HeaderTemplate _syn;

    /// <param name="addresses">Who sends to whom.</param>
    /// <param name="dscp">The differentiated services code point, 0 to 63; paqet uses 46.</param>
    /// <param name="counter">The handle's, shared by all of its flows.</param>
    /// <exception cref="ArgumentException">One address is IPv4 and the other is IPv6.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The code point is above 63.</exception>
    public CraftedFlow(FlowAddresses addresses, int dscp, CraftCounter counter)
    {
        Addresses = addresses;
        _counter = counter;
        _plain = new HeaderTemplate(addresses, dscp, [0x01, 0x01, 0x08, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0]);
        _syn = new HeaderTemplate(addresses, dscp, [2, 4, 0x05, 0xB4, 4, 2, 0x08, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 8]);
    }

    public FlowAddresses Addresses { get; }

    /// <summary>Bytes of the IP and TCP headers of segments whose flags may have SYN, or may not.</summary>
    public static int PacketHeaders(bool ipv6, bool withSyn) =>
        (ipv6 ? IPv6View.FixedHeaderLength : IPv4View.MinHeaderLength) + TcpView.MinHeaderLength + (withSyn ? 20 : 12);

    /// <summary>Bytes in all headers of a segment with these flags: Ethernet 14, IP 20 or 40, TCP 32, or 40 with SYN.</summary>
    public int HeaderLength(ushort flags) => Template(flags).Length;

    /// <summary>
    /// Writes the headers of the next segment in front of its payload; returns their length, <see cref="HeaderLength"/>.
    /// </summary>
    /// <param name="frame">Room for the headers, then the payload, which must be in place: the checksum covers it.</param>
    /// <param name="flags">A bitmask of <see cref="TcpFlags"/>.</param>
    /// <exception cref="ArgumentException">The frame has no room for the headers, or is longer than an IP packet can be.</exception>
    public int Write(Span<byte> frame, ushort flags)
    {
        HeaderTemplate template = Template(flags);
        Span<byte> tcp = template.Begin(frame);
        WriteNumbers(tcp, flags, _counter.Next());
        uint sum = InternetChecksum.Sum(tcp, template.PseudoHeaderSum + (uint)tcp.Length);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[16..], InternetChecksum.Fold(sum));
        return template.Length;
    }

    private HeaderTemplate Template(ushort flags) => (flags & TcpFlags.Syn) != 0 ? _syn : _plain;

    private void WriteNumbers(Span<byte> tcp, ushort flags, uint count)
    {
        uint timestamp = _counter.Start + (count >> 3);
        tcp[12] |= (byte)(flags >> 8 & 1);
        tcp[13] = (byte)flags;
        if ((flags & TcpFlags.Syn) != 0)
        {
            uint first = 1 + (count & 7);
            WriteSequence(tcp, first, (flags & TcpFlags.Ack) != 0 ? first + 1 : 0);
            BinaryPrimitives.WriteUInt32BigEndian(tcp[28..], timestamp);
            return;
        }

        uint sequence = _counter.Start + (count << 7);
        WriteSequence(tcp, sequence, sequence - (count & 0x3FF) + 1400);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[24..], timestamp);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[28..], timestamp - (count % 200 + 50));
    }

    private static void WriteSequence(Span<byte> tcp, uint sequence, uint acknowledgment)
    {
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[8..], acknowledgment);
    }
}

/// <summary>Who sends to whom.</summary>
/// <param name="SourceMac">The sending interface.</param>
/// <param name="DestinationMac">The next hop: the router, or the peer on the same link.</param>
/// <param name="Source">The sender; the same family as <paramref name="Destination"/>.</param>
/// <param name="Destination">The receiver.</param>
public readonly record struct FlowAddresses(MacAddress SourceMac, MacAddress DestinationMac, Endpoint Source, Endpoint Destination);
