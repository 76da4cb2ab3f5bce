namespace Tunnel.Ctl.Dump.Files;

/// <summary>
/// Classic pcap, behind its magic: version 2 x u16, zone and accuracy 2 x u32, capture length u32, link type u32; then for each packet
/// seconds u32, micro- or nanoseconds u32, captured length u32, original length u32, bytes.
/// </summary>
internal static class PcapReader
{
    public const uint NanosecondMagic = 0xA1B2_3C4D;

    private const uint MicrosecondMagic = 0xA1B2_C3D4;
    private const int HeaderRest = 20;
    private const int LinkTypeOffset = 16;
    private const int PacketHeader = 16;
    private const uint LinkTypeMask = 0xFFFF;
    private const long NanosecondsPerSecond = 1_000_000_000;

    public static bool IsMagic(uint number) => number is MicrosecondMagic or NanosecondMagic;

    public static IEnumerable<CapturedFrame> Read(CaptureInput input, bool nanoseconds)
    {
        // The upper bits say whether frames end with a check sequence, which the views cut off as padding.
        int linkType = (int)(input.UInt32(input.Take(HeaderRest).AsSpan(LinkTypeOffset)) & LinkTypeMask);
        byte[] header = new byte[PacketHeader];
        while (input.TryTake(header))
        {
            long time = (input.UInt32(header) * NanosecondsPerSecond) + (input.UInt32(header.AsSpan(4)) * (nanoseconds ? 1L : 1000L));
            byte[] bytes = input.Take(input.UInt32(header.AsSpan(8)));
            int original = (int)Math.Min(int.MaxValue, input.UInt32(header.AsSpan(12)));
            yield return new CapturedFrame(time, LinkLayer.ToEthernet(linkType, bytes), original, FrameCourse.Unknown, 0);
        }
    }
}
