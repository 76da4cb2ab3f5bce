using System.Buffers.Binary;

namespace Tunnel.Protocol.Wire;

/// <summary>
/// An IPv6 packet (RFC 8200) that is not a fragment, its extension headers walked:
/// <code>
///  0 version, traffic class, flow label 4 | 4 payload length 2 | 6 next header | 7 hop limit | 8 source 16 | 24 destination 16
/// 40 { next header 1 | length 1 | ... } * | payload
/// </code>
/// Hop-by-hop, routing and destination options are stepped over; so is the fragment header of an atomic fragment (RFC 6946).
/// Checked once by <see cref="TryParse"/>; no member fails afterwards.
/// </summary>
public readonly ref struct IPv6View
{
    /// <summary>Bytes in the header before any extension.</summary>
    public const int FixedHeaderLength = 40;

    /// <summary>Extension headers that are walked: RFC 8200 has six kinds, and only one of them is meant to appear twice.</summary>
    public const int MaxExtensions = 8;

    private const int ExtensionUnit = 8;
    private const int FragmentOffsetAndMore = 0xFFF9;

    private readonly ReadOnlySpan<byte> _packet;
    private readonly int _headerLength;

    private IPv6View(ReadOnlySpan<byte> packet, int headerLength, byte protocol)
    {
        _packet = packet;
        _headerLength = headerLength;
        Protocol = protocol;
    }

    /// <summary><see cref="WireDrop.None"/> and the view, or why there is none.</summary>
    /// <param name="bytes">The packet, and possibly padding after it, which the payload length cuts off.</param>
    /// <param name="view">The view.</param>
    public static WireDrop TryParse(ReadOnlySpan<byte> bytes, out IPv6View view)
    {
        view = default;
        if (bytes.Length < FixedHeaderLength)
            return WireDrop.IPv6Truncated;
        if (bytes[0] >> 4 != 6)
            return WireDrop.BadIPVersion;

        int payloadLength = BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);

        // A frame merged beyond 64 KiB (or a jumbogram, RFC 2675) says zero: the frame's own length counts then.
        int length = payloadLength == 0 ? bytes.Length : FixedHeaderLength + payloadLength;
        if (length > bytes.Length)
            return WireDrop.IPv6Truncated;

        bytes = bytes[..length];
        WireDrop drop = WalkExtensions(bytes, out int headerLength, out byte protocol);
        if (drop == WireDrop.None)
            view = new(bytes, headerLength, protocol);
        return drop;
    }

    /// <summary>The differentiated services code point, 0 to 63.</summary>
    public int Dscp => BinaryPrimitives.ReadUInt16BigEndian(_packet) >> 6 & 0x3F;

    /// <summary>20 bits.</summary>
    public uint FlowLabel => BinaryPrimitives.ReadUInt32BigEndian(_packet) & 0xF_FFFF;

    public byte HopLimit => _packet[7];

    /// <summary>What follows the last extension header: one of <see cref="IPProtocols"/>, or another.</summary>
    public byte Protocol { get; }

    /// <summary>16 bytes.</summary>
    public ReadOnlySpan<byte> Source => _packet.Slice(8, 16);

    /// <summary>16 bytes.</summary>
    public ReadOnlySpan<byte> Destination => _packet.Slice(24, 16);

    /// <summary>What follows the last extension header.</summary>
    public ReadOnlySpan<byte> Payload => _packet[_headerLength..];

    private static WireDrop WalkExtensions(ReadOnlySpan<byte> packet, out int offset, out byte next)
    {
        offset = FixedHeaderLength;
        next = packet[6];
        for (int walked = 0; IsExtension(next); walked++)
        {
            if (walked == MaxExtensions)
                return WireDrop.IPv6TooManyExtensions;
            WireDrop drop = StepOver(packet[offset..], next, out int length);
            if (drop != WireDrop.None)
                return drop;
            next = packet[offset];
            offset += length;
        }

        return WireDrop.None;
    }

    private static WireDrop StepOver(ReadOnlySpan<byte> extension, byte kind, out int length)
    {
        length = ExtensionUnit;
        if (extension.Length < ExtensionUnit)
            return WireDrop.IPv6Truncated;
        if (kind == IPProtocols.Fragment)
            return (BinaryPrimitives.ReadUInt16BigEndian(extension[2..]) & FragmentOffsetAndMore) == 0 ? WireDrop.None : WireDrop.Fragment;

        length = (extension[1] + 1) * ExtensionUnit;
        return length > extension.Length ? WireDrop.IPv6Truncated : WireDrop.None;
    }

    private static bool IsExtension(byte next) =>
        next is IPProtocols.HopByHop or IPProtocols.Routing or IPProtocols.Fragment or IPProtocols.DestinationOptions;
}
