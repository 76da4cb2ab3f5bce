namespace Tunnel.Protocol.Kcp;

/// <summary>What a <see cref="SegmentSender"/> did, in segments: what <see cref="KcpCounters"/> says of sending.</summary>
internal struct SendCounters
{
    /// <summary>All that were sent, retransmissions included.</summary>
    public long Segments;

    public long Fast;
    public long Early;
    public long Timeout;
    public long Copies;
    public long DeadLink;
    public long InParts;
}
