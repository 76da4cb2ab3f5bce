using System.Buffers.Binary;

namespace Tunnel.Protocol.Wire;

/// <summary>
/// An Ethernet II frame, without its check sequence, with up to two VLAN tags (IEEE 802.1Q, 802.1ad):
/// <code>destination 6 | source 6 | { 8100 or 88A8 | tag control 2 } * | EtherType 2 | payload and padding</code>
/// Checked once by <see cref="TryParse"/>; no member fails afterwards.
/// </summary>
public readonly ref struct EthernetView
{
    /// <summary>Bytes in a header without tags.</summary>
    public const int HeaderLength = 14;

    /// <summary>Tags that are read; a frame with more is refused.</summary>
    public const int MaxTags = 2;

    private const int TagLength = 4;

    private readonly ReadOnlySpan<byte> _frame;

    private EthernetView(ReadOnlySpan<byte> frame, int tagCount)
    {
        _frame = frame;
        TagCount = tagCount;
    }

    /// <summary><see cref="WireDrop.None"/> and the view, or why there is none.</summary>
    public static WireDrop TryParse(ReadOnlySpan<byte> frame, out EthernetView view)
    {
        view = default;
        if (frame.Length < HeaderLength)
            return WireDrop.EthernetTruncated;

        int tags = 0;
        while (IsTag(TypeAfter(frame, tags)))
        {
            if (++tags > MaxTags)
                return WireDrop.TooManyTags;
            if (frame.Length < HeaderLength + tags * TagLength)
                return WireDrop.EthernetTruncated;
        }

        view = new(frame, tags);
        return WireDrop.None;
    }

    public MacAddress Destination => MacAddress.FromBytes(_frame[..6]);

    public MacAddress Source => MacAddress.FromBytes(_frame[6..12]);

    /// <summary>0 to <see cref="MaxTags"/>.</summary>
    public int TagCount { get; }

    /// <summary>The payload's type, after the tags: <see cref="EtherTypes"/>. Below 0x600 it is an 802.3 length.</summary>
    public ushort EtherType => TypeAfter(_frame, TagCount);

    /// <summary>What follows the header, padding included.</summary>
    public ReadOnlySpan<byte> Payload => _frame[(HeaderLength + TagCount * TagLength)..];

    /// <summary>A tag's VLAN, 0 to 4095; tag 0 is the outermost, <paramref name="tag"/> is below <see cref="TagCount"/>.</summary>
    public int VlanId(int tag) => TagControl(tag) & 0xFFF;

    /// <summary>A tag's priority, 0 to 7; <paramref name="tag"/> is below <see cref="TagCount"/>.</summary>
    public int VlanPriority(int tag) => TagControl(tag) >> 13;

    private ushort TagControl(int tag)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)tag, (uint)TagCount, nameof(tag));
        return BinaryPrimitives.ReadUInt16BigEndian(_frame[(HeaderLength + tag * TagLength)..]);
    }

    private static ushort TypeAfter(ReadOnlySpan<byte> frame, int tags) =>
        BinaryPrimitives.ReadUInt16BigEndian(frame[(12 + tags * TagLength)..]);

    private static bool IsTag(ushort type) => type is EtherTypes.CustomerTag or EtherTypes.ServiceTag;
}

/// <summary>EtherTypes that the wire knows.</summary>
public static class EtherTypes
{
    public const ushort IPv4 = 0x0800;
    public const ushort IPv6 = 0x86DD;

    /// <summary>An 802.1Q tag follows.</summary>
    public const ushort CustomerTag = 0x8100;

    /// <summary>An 802.1ad tag follows.</summary>
    public const ushort ServiceTag = 0x88A8;
}
