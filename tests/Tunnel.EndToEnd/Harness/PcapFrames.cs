using System.Buffers.Binary;

namespace Tunnel.EndToEnd.Harness;

/// <summary>The frames of a classic little-endian pcap file.</summary>
internal static class PcapFrames
{
    private const uint Magic = 0xA1B2C3D4;
    private const int FileHeaderLength = 24;
    private const int PacketHeaderLength = 16;

    public static List<byte[]> Read(string path)
    {
        ReadOnlySpan<byte> file = File.ReadAllBytes(path);
        Assert.Equal(Magic, BinaryPrimitives.ReadUInt32LittleEndian(file));
        List<byte[]> frames = [];
        for (ReadOnlySpan<byte> rest = file[FileHeaderLength..]; !rest.IsEmpty;)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(rest[8..]);
            frames.Add(rest.Slice(PacketHeaderLength, length).ToArray());
            rest = rest[(PacketHeaderLength + length)..];
        }

        return frames;
    }
}
