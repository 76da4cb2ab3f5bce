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

    public readonly long Retransmits => FastRetransmits + EarlyRetransmits + TimeoutRetransmits;
}
