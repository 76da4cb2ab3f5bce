namespace Tunnel.Ctl.Dump;

/// <summary>A frame as it was captured, now or once.</summary>
/// <param name="Time">Nanoseconds since 1970, UTC.</param>
/// <param name="Bytes">From the Ethernet header on, as far as it was captured.</param>
/// <param name="OriginalLength">Bytes on the wire.</param>
/// <param name="Course">Which way it went past the capturing host.</param>
/// <param name="SegmentLength">TCP or UDP payload bytes of each part but the last that was merged into it; 0: not merged, or not known.</param>
internal sealed record CapturedFrame(long Time, ReadOnlyMemory<byte> Bytes, int OriginalLength, FrameCourse Course, int SegmentLength);

/// <summary>Which way a frame went, as the capturing host saw it.</summary>
internal enum FrameCourse
{
    Unknown,
    In,
    Out,
}
