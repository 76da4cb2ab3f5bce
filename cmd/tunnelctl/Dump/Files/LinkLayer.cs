using System.Buffers.Binary;

namespace Tunnel.Ctl.Dump.Files;

/// <summary>The link layers of capture files; what is not Ethernet gets an Ethernet header in the place of its own.</summary>
internal static class LinkLayer
{
    public const int Ethernet = 1;

    private const int Raw = 101;
    private const int Cooked = 113;
    private const int Cooked2 = 276;
    private const int EthernetHeader = 14;
    private const int CookedHeader = 16;
    private const int Cooked2Header = 20;

    /// <exception cref="CaptureFormatException">The type is none that carries the tunnel.</exception>
    public static ReadOnlyMemory<byte> ToEthernet(int type, ReadOnlyMemory<byte> frame)
    {
        ReadOnlySpan<byte> bytes = frame.Span;
        return type switch
        {
            Ethernet => frame,
            Raw when !bytes.IsEmpty => Dress(bytes, (ushort)(bytes[0] >> 4 == 6 ? 0x86DD : 0x0800)),
            Cooked when bytes.Length >= CookedHeader => Dress(bytes[CookedHeader..], BinaryPrimitives.ReadUInt16BigEndian(bytes[14..])),
            Cooked2 when bytes.Length >= Cooked2Header => Dress(bytes[Cooked2Header..], BinaryPrimitives.ReadUInt16BigEndian(bytes)),
            Raw or Cooked or Cooked2 => ReadOnlyMemory<byte>.Empty,
            _ => throw new CaptureFormatException($"link type {type} is not supported: Ethernet, raw IP and Linux's cooked captures are"),
        };
    }

    private static byte[] Dress(ReadOnlySpan<byte> packet, ushort etherType)
    {
        byte[] frame = new byte[EthernetHeader + packet.Length];
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), etherType);
        packet.CopyTo(frame.AsSpan(EthernetHeader));
        return frame;
    }
}
