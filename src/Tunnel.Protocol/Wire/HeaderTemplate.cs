using System.Buffers.Binary;

namespace Tunnel.Protocol.Wire;

/// <summary>
/// The Ethernet, IP and TCP headers that segments of one flow have in common, ready to be copied: everything but lengths, numbers, flags
/// and checksums. The window is 65535; IPv4 has identification 0, DF and TTL 64; IPv6 has flow label 0 and hop limit 64.
/// </summary>
internal sealed class HeaderTemplate
{
    private const byte HopLimit = 64;
    private const ushort DoNotFragment = 0x4000;
    private const ushort Window = 65535;

    private readonly byte[] _bytes;
    private readonly bool _isIPv4;
    private readonly uint _ipSum;

    /// <param name="addresses">Who sends to whom.</param>
    /// <param name="dscp">The differentiated services code point, 0 to 63.</param>
    /// <param name="options">TCP options, a multiple of 4 bytes.</param>
    /// <exception cref="ArgumentException">One address is IPv4 and the other is IPv6.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The code point is above 63.</exception>
    public HeaderTemplate(in FlowAddresses addresses, int dscp, ReadOnlySpan<byte> options)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)dscp, 63u, nameof(dscp));
        if (addresses.Source.IsIPv4 != addresses.Destination.IsIPv4)
            throw new ArgumentException("both addresses are of one family", nameof(addresses));

        _isIPv4 = addresses.Source.IsIPv4;
        TcpOffset = EthernetView.HeaderLength + (_isIPv4 ? IPv4View.MinHeaderLength : IPv6View.FixedHeaderLength);
        _bytes = new byte[TcpOffset + TcpView.MinHeaderLength + options.Length];
        Build(addresses, dscp, options);
        _ipSum = _isIPv4 ? InternetChecksum.Sum(_bytes.AsSpan(EthernetView.HeaderLength, IPv4View.MinHeaderLength)) : 0;
        PseudoHeaderSum = SumPseudoHeader(addresses);
    }

    /// <summary>Bytes of all headers.</summary>
    public int Length => _bytes.Length;

    /// <summary>Where the TCP header begins.</summary>
    public int TcpOffset { get; }

    /// <summary>The pseudo-header's sum without the length.</summary>
    public uint PseudoHeaderSum { get; }

    /// <summary>Copies the headers in front of the payload and writes the IP lengths; returns the TCP segment.</summary>
    /// <exception cref="ArgumentException">The frame has no room for the headers, or is longer than an IP packet can be.</exception>
    public Span<byte> Begin(Span<byte> frame)
    {
        if (frame.Length < Length || frame.Length - EthernetView.HeaderLength > MaxPacketLength)
            throw new ArgumentException("a frame holds its headers and at most 65535 bytes", nameof(frame));

        _bytes.CopyTo(frame);
        Span<byte> tcp = frame[TcpOffset..];
        WriteIPLength(frame[EthernetView.HeaderLength..TcpOffset], tcp.Length);
        return tcp;
    }

    // IPv4's length field counts its header, IPv6's does not.
    private int MaxPacketLength => ushort.MaxValue + (_isIPv4 ? 0 : IPv6View.FixedHeaderLength);

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

    private void Build(in FlowAddresses addresses, int dscp, ReadOnlySpan<byte> options)
    {
        addresses.DestinationMac.WriteTo(_bytes);
        addresses.SourceMac.WriteTo(_bytes.AsSpan(MacAddress.Length));
        BinaryPrimitives.WriteUInt16BigEndian(_bytes.AsSpan(12), _isIPv4 ? EtherTypes.IPv4 : EtherTypes.IPv6);
        if (_isIPv4)
            WriteIPv4(_bytes.AsSpan(EthernetView.HeaderLength), addresses, dscp);
        else
            WriteIPv6(_bytes.AsSpan(EthernetView.HeaderLength), addresses, dscp);
        WriteTcp(_bytes.AsSpan(TcpOffset), addresses, options);
    }

    private static void WriteIPv4(Span<byte> ip, in FlowAddresses addresses, int dscp)
    {
        ip[0] = 0x45;
        ip[1] = (byte)(dscp << 2);
        BinaryPrimitives.WriteUInt16BigEndian(ip[6..], DoNotFragment);
        ip[8] = HopLimit;
        ip[9] = IPProtocols.Tcp;
        addresses.Source.WriteAddress(ip[12..]);
        addresses.Destination.WriteAddress(ip[16..]);
    }

    private static void WriteIPv6(Span<byte> ip, in FlowAddresses addresses, int dscp)
    {
        BinaryPrimitives.WriteUInt16BigEndian(ip, (ushort)(0x6000 | dscp << 6));
        ip[6] = IPProtocols.Tcp;
        ip[7] = HopLimit;
        addresses.Source.WriteAddress(ip[8..]);
        addresses.Destination.WriteAddress(ip[24..]);
    }

    private static void WriteTcp(Span<byte> tcp, in FlowAddresses addresses, ReadOnlySpan<byte> options)
    {
        BinaryPrimitives.WriteUInt16BigEndian(tcp, addresses.Source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], addresses.Destination.Port);
        tcp[12] = (byte)(tcp.Length / 4 << 4);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], Window);
        options.CopyTo(tcp[TcpView.MinHeaderLength..]);
    }

    private static uint SumPseudoHeader(in FlowAddresses addresses)
    {
        Span<byte> source = stackalloc byte[16];
        Span<byte> destination = stackalloc byte[16];
        source = source[..addresses.Source.WriteAddress(source)];
        destination = destination[..addresses.Destination.WriteAddress(destination)];
        return InternetChecksum.PseudoHeader(source, destination, IPProtocols.Tcp, 0);
    }
}
