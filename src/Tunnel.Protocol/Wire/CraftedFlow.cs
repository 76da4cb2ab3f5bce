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

    private const byte HopLimit = 64;
    private const ushort DoNotFragment = 0x4000;
    private const ushort Window = 65535;

    private readonly CraftCounter _counter;
    private readonly byte[] _plain;
    private readonly byte[] _syn;
    private readonly bool _isIPv4;
    private readonly int _tcpOffset;
    private readonly uint _ipSum;
    private readonly uint _pseudoHeaderSum;

    /// <param name="addresses">Who sends to whom.</param>
    /// <param name="dscp">The differentiated services code point, 0 to 63; paqet uses 46.</param>
    /// <param name="counter">The handle's, shared by all of its flows.</param>
    /// <exception cref="ArgumentException">One address is IPv4 and the other is IPv6.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The code point is above 63.</exception>
    public CraftedFlow(FlowAddresses addresses, int dscp, CraftCounter counter)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)dscp, 63u, nameof(dscp));
        if (addresses.Source.IsIPv4 != addresses.Destination.IsIPv4)
            throw new ArgumentException("both addresses are of one family", nameof(addresses));

        Addresses = addresses;
        _counter = counter;
        _isIPv4 = addresses.Source.IsIPv4;
        _tcpOffset = EthernetView.HeaderLength + (_isIPv4 ? IPv4View.MinHeaderLength : IPv6View.FixedHeaderLength);
        _plain = BuildTemplate(dscp, [0x01, 0x01, 0x08, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0]);
        _syn = BuildTemplate(dscp, [2, 4, 0x05, 0xB4, 4, 2, 0x08, 0x0A, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 8]);
        _ipSum = InternetChecksum.Sum(_plain.AsSpan(EthernetView.HeaderLength, IPv4View.MinHeaderLength));
        _pseudoHeaderSum = SumPseudoHeader(addresses);
    }

    public FlowAddresses Addresses { get; }

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
        byte[] template = Template(flags);
        if (frame.Length < template.Length || frame.Length - EthernetView.HeaderLength > MaxPacketLength)
            throw new ArgumentException("a frame holds its headers and at most 65535 bytes", nameof(frame));

        template.CopyTo(frame);
        Span<byte> tcp = frame[_tcpOffset..];
        WriteIPLength(frame[EthernetView.HeaderLength.._tcpOffset], tcp.Length);
        WriteNumbers(tcp, flags, _counter.Next());
        uint sum = InternetChecksum.Sum(tcp, _pseudoHeaderSum + (uint)tcp.Length);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[16..], InternetChecksum.Fold(sum));
        return template.Length;
    }

    // IPv4's length field counts its header, IPv6's does not.
    private int MaxPacketLength => ushort.MaxValue + (_isIPv4 ? 0 : IPv6View.FixedHeaderLength);

    private byte[] Template(ushort flags) => (flags & TcpFlags.Syn) != 0 ? _syn : _plain;

    private void WriteIPLength(Span<byte> ip, int tcpLength)
    {
        if (!_isIPv4)
        {
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)tcpLength);
            return;
        }

        uint totalLength = (uint)(IPv4View.MinHeaderLength + tcpLength);
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)totalLength);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Fold(_ipSum + totalLength));
    }

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

    private byte[] BuildTemplate(int dscp, ReadOnlySpan<byte> options)
    {
        byte[] template = new byte[_tcpOffset + TcpView.MinHeaderLength + options.Length];
        Addresses.DestinationMac.WriteTo(template);
        Addresses.SourceMac.WriteTo(template.AsSpan(MacAddress.Length));
        BinaryPrimitives.WriteUInt16BigEndian(template.AsSpan(12), _isIPv4 ? EtherTypes.IPv4 : EtherTypes.IPv6);
        if (_isIPv4)
            WriteIPv4(template.AsSpan(EthernetView.HeaderLength), dscp);
        else
            WriteIPv6(template.AsSpan(EthernetView.HeaderLength), dscp);
        WriteTcp(template.AsSpan(_tcpOffset), options);
        return template;
    }

    private void WriteIPv4(Span<byte> ip, int dscp)
    {
        ip[0] = 0x45;
        ip[1] = (byte)(dscp << 2);
        BinaryPrimitives.WriteUInt16BigEndian(ip[6..], DoNotFragment);
        ip[8] = HopLimit;
        ip[9] = IPProtocols.Tcp;
        Addresses.Source.WriteAddress(ip[12..]);
        Addresses.Destination.WriteAddress(ip[16..]);
    }

    private void WriteIPv6(Span<byte> ip, int dscp)
    {
        BinaryPrimitives.WriteUInt16BigEndian(ip, (ushort)(0x6000 | dscp << 6));
        ip[6] = IPProtocols.Tcp;
        ip[7] = HopLimit;
        Addresses.Source.WriteAddress(ip[8..]);
        Addresses.Destination.WriteAddress(ip[24..]);
    }

    private void WriteTcp(Span<byte> tcp, ReadOnlySpan<byte> options)
    {
        BinaryPrimitives.WriteUInt16BigEndian(tcp, Addresses.Source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], Addresses.Destination.Port);
        tcp[12] = (byte)(tcp.Length / 4 << 4);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], Window);
        options.CopyTo(tcp[TcpView.MinHeaderLength..]);
    }

    private static uint SumPseudoHeader(FlowAddresses addresses)
    {
        Span<byte> source = stackalloc byte[16];
        Span<byte> destination = stackalloc byte[16];
        source = source[..addresses.Source.WriteAddress(source)];
        destination = destination[..addresses.Destination.WriteAddress(destination)];
        return InternetChecksum.PseudoHeader(source, destination, IPProtocols.Tcp, 0);
    }
}

/// <summary>Who sends to whom.</summary>
/// <param name="SourceMac">The sending interface.</param>
/// <param name="DestinationMac">The next hop: the router, or the peer on the same link.</param>
/// <param name="Source">The sender; the same family as <paramref name="Destination"/>.</param>
/// <param name="Destination">The receiver.</param>
public readonly record struct FlowAddresses(MacAddress SourceMac, MacAddress DestinationMac, Endpoint Source, Endpoint Destination);
