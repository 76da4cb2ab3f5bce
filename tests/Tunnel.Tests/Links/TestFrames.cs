using System.Buffers.Binary;

namespace Tunnel.Tests.Links;

/// <summary>Ethernet frames with a TCP segment inside, right enough for a capture filter.</summary>
internal static class TestFrames
{
    public static byte[] Tcp(int sourcePort, int destinationPort, int length, ushort? vlan = null)
    {
        int header = vlan is null ? 14 : 18;
        byte[] frame = new byte[length];
        new byte[] { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 }.CopyTo(frame, 0);
        if (vlan is { } tag)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), 0x8100);
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(14), tag);
        }

        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(header - 2), 0x0800);
        Span<byte> ip = frame.AsSpan(header);
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)ip.Length);
        ip[8] = 64;
        ip[9] = 6;
        new byte[] { 10, 77, 0, 1, 10, 77, 0, 2 }.CopyTo(ip[12..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[20..], (ushort)sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(ip[22..], (ushort)destinationPort);
        ip[32] = 0x50;
        ip[33] = 0x18;
        return frame;
    }
}
