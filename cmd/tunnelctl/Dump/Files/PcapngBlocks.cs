namespace Tunnel.Ctl.Dump.Files;

/// <summary>
/// pcapng's numbers. A block is type u32, total length u32, body, padding to four bytes, total length again; its body may end with
/// options: code u16, length u16, value, padding to four bytes.
/// </summary>
internal static class PcapngBlocks
{
    /// <summary>The same in both byte orders.</summary>
    public const uint SectionHeader = 0x0A0D_0D0A;
    public const uint InterfaceDescription = 1;
    public const uint SimplePacket = 3;
    public const uint InterfaceStatistics = 5;
    public const uint EnhancedPacket = 6;

    public const uint ByteOrderMagic = 0x1A2B_3C4D;

    /// <summary>Type and total length.</summary>
    public const int Prefix = 8;

    /// <summary>Type and both total lengths.</summary>
    public const int Overhead = 12;

    public const ushort EndOfOptions = 0;
    public const ushort Comment = 1;
    public const ushort InterfaceName = 2;
    public const ushort PacketFlags = 2;
    public const ushort Application = 4;
    public const ushort Received = 4;
    public const ushort Dropped = 5;
    public const ushort TimeResolution = 9;
    public const ushort TimeOffset = 14;

    /// <summary>In front of a merged frame's segment length, in a comment: pcapng has no field for it.</summary>
    public const string SegmentLengthNote = "gso_size=";

    public static int Padded(int length) => (length + 3) & ~3;
}
