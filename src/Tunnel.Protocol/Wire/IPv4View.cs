using System.Buffers.Binary;

namespace Tunnel.Protocol.Wire;

/// <summary>
/// An IPv4 packet (RFC 791) that is not a fragment:
/// <code>
///  0 version and header length | 1 DSCP and ECN | 2 total length 2 | 4 identification 2 | 6 flags and fragment offset 2
///  8 TTL | 9 protocol | 10 header checksum 2 | 12 source 4 | 16 destination 4 | 20 options | payload
/// </code>
/// Checked once by <see cref="TryParse"/>; no member fails afterwards. The header checksum is not part of the check.
/// </summary>
public readonly ref struct IPv4View
{
    /// <summary>Bytes in a header without options.</summary>
    public const int MinHeaderLength = 20;

    private const int MoreFragmentsAndOffset = 0x3FFF;

    private readonly ReadOnlySpan<byte> _packet;

    private IPv4View(ReadOnlySpan<byte> packet) => _packet = packet;

    /// <summary><see cref="WireDrop.None"/> and the view, or why there is none.</summary>
    /// <param name="bytes">The packet, and possibly padding after it, which the total length cuts off.</param>
    /// <param name="view">The view.</param>
    public static WireDrop TryParse(ReadOnlySpan<byte> bytes, out IPv4View view)
    {
        view = default;
        if (bytes.Length < MinHeaderLength)
            return WireDrop.IPv4Truncated;
        if (bytes[0] >> 4 != 4)
            return WireDrop.BadIPVersion;

        WireDrop drop = CheckLengths(bytes, out int totalLength);
        if (drop != WireDrop.None)
            return drop;
        if ((BinaryPrimitives.ReadUInt16BigEndian(bytes[6..]) & MoreFragmentsAndOffset) != 0)
            return WireDrop.Fragment;

        view = new(bytes[..totalLength]);
        return WireDrop.None;
    }

    /// <summary>Bytes in the header with its options, 20 to 60.</summary>
    public int HeaderLength => HeaderLengthOf(_packet);

    /// <summary>The differentiated services code point, 0 to 63.</summary>
    public int Dscp => _packet[1] >> 2;

    public ushort Identification => BinaryPrimitives.ReadUInt16BigEndian(_packet[4..]);

    public byte TimeToLive => _packet[8];

    /// <summary>One of <see cref="IPProtocols"/>, or another.</summary>
    public byte Protocol => _packet[9];

    /// <summary>4 bytes.</summary>
    public ReadOnlySpan<byte> Source => _packet.Slice(12, 4);

    /// <summary>4 bytes.</summary>
    public ReadOnlySpan<byte> Destination => _packet.Slice(16, 4);

    public ReadOnlySpan<byte> Payload => _packet[HeaderLength..];

    public bool HasValidChecksum => InternetChecksum.Fold(InternetChecksum.Sum(_packet[..HeaderLength])) == 0;

    private static int HeaderLengthOf(ReadOnlySpan<byte> packet) => (packet[0] & 0xF) * 4;

    private static WireDrop CheckLengths(ReadOnlySpan<byte> bytes, out int totalLength)
    {
        totalLength = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);

        // A frame that the kernel merged beyond 64 KiB, or has yet to segment, says zero: its own length counts then.
        if (totalLength == 0)
            totalLength = bytes.Length;

        int headerLength = HeaderLengthOf(bytes);
        if (headerLength < MinHeaderLength || totalLength < headerLength)
            return WireDrop.IPv4BadLength;
        return totalLength > bytes.Length ? WireDrop.IPv4Truncated : WireDrop.None;
    }
}
