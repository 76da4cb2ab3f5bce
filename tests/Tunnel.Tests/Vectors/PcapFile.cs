using System.Buffers.Binary;

namespace Tunnel.Tests.Vectors;

/// <summary>The packets of a classic pcap file: little-endian, microseconds, Ethernet. For the recordings beside the tests.</summary>
internal static class PcapFile
{
    private const uint Magic = 0xA1B2C3D4;
    private const uint Ethernet = 1;
    private const int FileHeaderLength = 24;
    private const int PacketHeaderLength = 16;

    /// <param name="name">The recording's name, without folder and extension.</param>
    public static List<PcapPacket> Read(string name)
    {
        ReadOnlySpan<byte> file = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Vectors", "captures", name + ".pcap"));
        Assert.Equal(Magic, BinaryPrimitives.ReadUInt32LittleEndian(file));
        Assert.Equal(Ethernet, BinaryPrimitives.ReadUInt32LittleEndian(file[20..]));

        List<PcapPacket> packets = [];
        ReadOnlySpan<byte> rest = file[FileHeaderLength..];
        while (!rest.IsEmpty)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(rest[8..]);
            packets.Add(new(
                BinaryPrimitives.ReadUInt32LittleEndian(rest),
                BinaryPrimitives.ReadInt32LittleEndian(rest[4..]),
                rest.Slice(PacketHeaderLength, length).ToArray()));
            rest = rest[(PacketHeaderLength + length)..];
        }

        return packets;
    }
}

/// <summary>A recorded frame and when it was seen.</summary>
internal sealed record PcapPacket(long UnixSeconds, int Microseconds, byte[] Frame);
