namespace Tunnel.Protocol.Kcp;

/// <summary>What happened since the engine started; plain fields, written by the owner only.</summary>
public struct KcpCounters
{
    /// <summary>PUSH segments sent, retransmissions included.</summary>
    public long SegmentsSent;

    /// <summary>PUSH segments sent again because acknowledgements passed them by.</summary>
    public long FastRetransmits;

    /// <summary>PUSH segments sent again because one acknowledgement passed them by and there was nothing new to send.</summary>
    public long EarlyRetransmits;

    /// <summary>PUSH segments sent again because their timeout ran out.</summary>
    public long TimeoutRetransmits;

    /// <summary>
    /// PUSH segments sent once more because there was nothing new to send: along with a retransmission, or as the end of what was sent on a path that
    /// loses. Counted nowhere else.
    /// </summary>
    public long Copies;

    /// <summary>PUSH segments received, duplicates included.</summary>
    public long SegmentsReceived;

    /// <summary>PUSH segments that had been received before.</summary>
    public long Duplicates;

    /// <summary>PUSH segments outside the receive window.</summary>
    public long OutOfWindow;

    /// <summary>Datagrams or segments refused as malformed.</summary>
    public long Malformed;

    /// <summary>Segments that were sent twenty times: the link is as good as dead.</summary>
    public long DeadLinkSegments;

    /// <summary>Answers to window probes.</summary>
    public long WindowTells;

    /// <summary>PUSH segments sent again in parts, because the path does not carry them whole any more.</summary>
    public long SegmentsInParts;

    /// <summary>Probes of the path's MTU sent, each with its companion.</summary>
    public long PathProbes;

    /// <summary>Times that the datagrams in use turned out not to pass any more.</summary>
    public long PathBlackHoles;

    public void Add(in KcpCounters other)
    {
        SegmentsSent += other.SegmentsSent;
        FastRetransmits += other.FastRetransmits;
        EarlyRetransmits += other.EarlyRetransmits;
        TimeoutRetransmits += other.TimeoutRetransmits;
        Copies += other.Copies;
        SegmentsReceived += other.SegmentsReceived;
        Duplicates += other.Duplicates;
        OutOfWindow += other.OutOfWindow;
        Malformed += other.Malformed;
        DeadLinkSegments += other.DeadLinkSegments;
        SegmentsInParts += other.SegmentsInParts;
        PathProbes += other.PathProbes;
        PathBlackHoles += other.PathBlackHoles;
        WindowTells += other.WindowTells;
    }

    public readonly long Retransmits => FastRetransmits + EarlyRetransmits + TimeoutRetransmits;
}
