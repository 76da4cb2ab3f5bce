using System.Collections.Concurrent;
using Tunnel.Links.AfPacket;
using Tunnel.Links.Emulation;
using Tunnel.Links.Memory;
using Tunnel.Protocol.Wire;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Tests.Links;

/// <summary>Packets that the emulator makes of a merged frame are those that a device would make of it.</summary>
public sealed class FrameCutterTests
{
    private const int Part = 1000;
    private const int Total = 2500;
    private const int TcpHeader = 20;
    private const int FlagsOffset = 13;
    private const byte CongestionWindowReduced = 0x80;
    private const ulong EcnTag = (ulong)VIRTIO_NET_HDR_GSO_ECN << 8;

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task A_merged_frame_is_cut_into_whole_packets(bool v6, bool reduced)
    {
        byte[] frame = MergedFrames.Create(v6, 40000, 29871, Total, Part);
        TcpSegment.TryParse(frame, out TcpSegment whole);
        uint sequence = whole.Sequence;
        int headers = frame.Length - Total;
        byte[] payload = whole.Payload.ToArray();
        VirtioHeader header = VirtioHeader.Cut(frame, headers, Part);
        if (reduced)
        {
            frame[headers - TcpHeader + FlagsOffset] |= CongestionWindowReduced;
            header = VirtioHeader.FromTag(header.Tag | EcnTag);
        }

        List<byte[]> packets = await CutAsync(frame, header, 3);

        byte[] carried = [];
        foreach (byte[] packet in packets)
        {
            Assert.Equal(WireDrop.None, TcpSegment.TryParse(packet, out TcpSegment segment));
            Assert.Equal(sequence + (uint)carried.Length, segment.Sequence);
            Assert.True(HasValidChecksums(packet, v6));
            // Said once.
            Assert.Equal(reduced && carried.Length == 0, (packet[headers - TcpHeader + FlagsOffset] & CongestionWindowReduced) != 0);
            carried = [.. carried, .. segment.Payload];
        }

        Assert.Equal(payload, carried);
    }

    /// <summary>The kernel marks a merged frame whose first segment has CWR: it is merged as any.</summary>
    [Theory]
    [InlineData(VIRTIO_NET_HDR_GSO_TCPV4, Part)]
    [InlineData(VIRTIO_NET_HDR_GSO_TCPV6, Part)]
    [InlineData(0, 0)]
    public void A_mark_of_congestion_hides_no_length(byte kind, int length)
    {
        ulong tag = ((ulong)kind << 8) | ((ulong)Part << 16);
        foreach (VirtioHeader header in new[] { VirtioHeader.FromTag(tag), VirtioHeader.FromTag(tag | EcnTag) })
            Assert.Equal((kind, length), (header.Kind, header.SegmentLength));
    }

    [Fact]
    public async Task A_plain_frame_stays_as_it_is()
    {
        byte[] frame = TestFrames.Tcp(1, 2, 100);
        Assert.Equal(frame, Assert.Single(await CutAsync(frame, default, 1)));
    }

    private static async Task<List<byte[]>> CutAsync(byte[] frame, VirtioHeader header, int expected)
    {
        var got = new BlockingCollection<byte[]>();
        using var path = new ImpairedPath(
            new MemoryWireOptions(),
            1,
            (frames, lengths, tags) =>
            {
                for (int i = 0; i < lengths.Length; frames = frames[lengths[i]..], i++)
                    got.Add(frames[..lengths[i]].ToArray());
            },
            "test path");
        new FrameCutter().Cut(frame, header, finish: true, path);
        List<byte[]> packets = [];
        while (packets.Count < expected)
            packets.Add(await Task.Run(() => got.TryTake(out byte[]? packet, 10_000) ? packet : throw new TimeoutException()));
        Assert.Empty(got);
        return packets;
    }

    private static bool HasValidChecksums(byte[] packet, bool v6)
    {
        EthernetView.TryParse(packet, out EthernetView ethernet);
        if (v6)
        {
            IPv6View.TryParse(ethernet.Payload, out IPv6View ip6);
            TcpView.TryParse(ip6.Payload, out TcpView tcp6);
            return tcp6.HasValidChecksum(ip6.Source, ip6.Destination);
        }

        IPv4View.TryParse(ethernet.Payload, out IPv4View ip);
        TcpView.TryParse(ip.Payload, out TcpView tcp);
        return ip.HasValidChecksum && tcp.HasValidChecksum(ip.Source, ip.Destination);
    }
}
