using System.Buffers.Binary;

namespace Tunnel.Protocol.Wire;

/// <summary>
/// A TCP segment (RFC 9293, 3.1):
/// <code>
///  0 source port 2 | 2 destination port 2 | 4 sequence 4 | 8 acknowledgement 4 | 12 data offset and NS | 13 flags
/// 14 window 2 | 16 checksum 2 | 18 urgent pointer 2 | 20 options | payload
/// </code>
/// Checked once by <see cref="TryParse"/>; no member fails afterwards. Neither the checksum nor the options are part of the check.
/// </summary>
public readonly ref struct TcpView
{
    /// <summary>Bytes in a header without options.</summary>
    public const int MinHeaderLength = 20;

    private readonly ReadOnlySpan<byte> _segment;

    private TcpView(ReadOnlySpan<byte> segment) => _segment = segment;

    /// <summary><see cref="WireDrop.None"/> and the view, or why there is none.</summary>
    /// <param name="bytes">The IP packet's whole payload.</param>
    /// <param name="view">The view.</param>
    public static WireDrop TryParse(ReadOnlySpan<byte> bytes, out TcpView view)
    {
        view = default;
        if (bytes.Length < MinHeaderLength)
            return WireDrop.TcpTruncated;
        int headerLength = HeaderLengthOf(bytes);
        if (headerLength < MinHeaderLength)
            return WireDrop.TcpBadOffset;
        if (headerLength > bytes.Length)
            return WireDrop.TcpTruncated;

        view = new(bytes);
        return WireDrop.None;
    }

    public ushort SourcePort => BinaryPrimitives.ReadUInt16BigEndian(_segment);

    public ushort DestinationPort => BinaryPrimitives.ReadUInt16BigEndian(_segment[2..]);

    public uint Sequence => BinaryPrimitives.ReadUInt32BigEndian(_segment[4..]);

    public uint Acknowledgment => BinaryPrimitives.ReadUInt32BigEndian(_segment[8..]);

    /// <summary>Bytes in the header with its options, 20 to 60.</summary>
    public int HeaderLength => HeaderLengthOf(_segment);

    /// <summary>A bitmask of <see cref="TcpFlags"/>.</summary>
    public ushort Flags => (ushort)(BinaryPrimitives.ReadUInt16BigEndian(_segment[12..]) & TcpFlags.All);

    /// <summary>As it stands in the header, not scaled.</summary>
    public ushort Window => BinaryPrimitives.ReadUInt16BigEndian(_segment[14..]);

    public ushort Checksum => BinaryPrimitives.ReadUInt16BigEndian(_segment[16..]);

    public TcpOptions Options => new(_segment[MinHeaderLength..HeaderLength]);

    public ReadOnlySpan<byte> Payload => _segment[HeaderLength..];

    /// <summary>Whether the checksum holds between these addresses (4 bytes each, or 16).</summary>
    public bool HasValidChecksum(ReadOnlySpan<byte> source, ReadOnlySpan<byte> destination)
    {
        uint pseudoHeader = InternetChecksum.PseudoHeader(source, destination, IPProtocols.Tcp, _segment.Length);
        return InternetChecksum.Fold(InternetChecksum.Sum(_segment, pseudoHeader)) == 0;
    }

    private static int HeaderLengthOf(ReadOnlySpan<byte> segment) => (segment[12] >> 4) * 4;
}
