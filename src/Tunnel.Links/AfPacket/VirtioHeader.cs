using System.Buffers.Binary;
using System.Runtime.InteropServices;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.AfPacket;

/// <summary>struct virtio_net_hdr, in front of every frame on a socket with PACKET_VNET_HDR. All zero: the frame is as it shall be.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 2)]
internal struct VirtioHeader
{
    internal const int Length = 10;

    private const int EtherTypeOffset = 12;
    private const int IP = 14;
    private const int IPv6HeaderLength = 40;
    private const int TcpChecksumOffset = 16;

    private byte _flags;
    private byte _segmentation;
    private ushort _headerLength;
    private ushort _segmentLength;
    private ushort _checksumStart;
    private ushort _checksumOffset;

    /// <summary>TCP payload bytes of each segment but the last of a merged frame, 0 if it is not merged.</summary>
    internal readonly int SegmentLength =>
        (_segmentation & ~VIRTIO_NET_HDR_GSO_ECN) is VIRTIO_NET_HDR_GSO_TCPV4 or VIRTIO_NET_HDR_GSO_TCPV6 ? _segmentLength : 0;

    /// <summary>What the frame is merged as: one of VIRTIO_NET_HDR_GSO_*, or 0.</summary>
    internal readonly byte Kind => (byte)(_segmentation & ~VIRTIO_NET_HDR_GSO_ECN);

    /// <summary>Payload bytes of each part, whatever it is merged as.</summary>
    internal readonly int PartLength => _segmentLength;

    /// <summary>The checksum from here to the frame's end is not finished; -1 when it is.</summary>
    internal readonly int UnfinishedFrom => (_flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0 ? _checksumStart : -1;

    /// <summary>Where it belongs, behind that.</summary>
    internal readonly int UnfinishedAt => _checksumOffset;

    /// <summary>All of the header in a number, but for the length of the headers, which the kernel finds by itself.</summary>
    internal readonly ulong Tag => (uint)(_flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) | ((ulong)_segmentation << 8) | ((ulong)_segmentLength << 16)
        | ((ulong)_checksumStart << 32) | ((ulong)_checksumOffset << 48);

    internal static VirtioHeader FromTag(ulong tag) => new()
    {
        _flags = (byte)tag,
        _segmentation = (byte)(tag >> 8),
        _segmentLength = (ushort)(tag >> 16),
        _checksumStart = (ushort)(tag >> 32),
        _checksumOffset = (ushort)(tag >> 48),
    };

    /// <summary>A plain frame whose transport checksum somebody else finishes.</summary>
    internal static VirtioHeader Unfinished(int from, int at) => new()
    {
        _flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        _checksumStart = (ushort)from,
        _checksumOffset = (ushort)at,
    };

    /// <summary>Asks for a frame to be cut, and for the checksums of its segments.</summary>
    internal static VirtioHeader Cut(ReadOnlySpan<byte> frame, int headerLength, int segmentLength)
    {
        bool v6 = BinaryPrimitives.ReadUInt16BigEndian(frame[EtherTypeOffset..]) == ETH_P_IPV6;
        int tcp = IP + (v6 ? IPv6HeaderLength : (frame[IP] & 0xF) * 4);
        return new VirtioHeader
        {
            _flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
            _segmentation = v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4,
            _headerLength = (ushort)headerLength,
            _segmentLength = (ushort)segmentLength,
            _checksumStart = (ushort)tcp,
            _checksumOffset = TcpChecksumOffset,
        };
    }
}
