namespace Tunnel.Protocol.Kcp;

/// <summary>The knobs of the ARQ engine. Already valid: ranges are checked where configuration is read.</summary>
public sealed record KcpOptions
{
    /// <summary>Bytes that one datagram's KCP segments may take, headers included (the datagram less the cipher's overhead).</summary>
    public int Mtu { get; init; } = 1350;

    /// <summary>True: the retransmission timeout starts at 30 ms and backs off by half; false: 100 ms and doubling.</summary>
    public bool NoDelay { get; init; } = true;

    /// <summary>Milliseconds between flushes of what may wait, 10 to 5000.</summary>
    public int Interval { get; init; } = 10;

    /// <summary>Datagrams of acknowledgements that must pass a segment by before it is sent again; 0 turns fast retransmission off.</summary>
    public int Resend { get; init; } = 2;

    /// <summary>True: only the two windows limit what is in flight.</summary>
    public bool NoCongestion { get; init; } = true;

    /// <summary>True: what leaves is spread by what the path turns out to take; only without a congestion window.</summary>
    public bool Pacing { get; init; } = true;

    /// <summary>True: new data waits for the interval.</summary>
    public bool WriteDelay { get; init; }

    /// <summary>True: acknowledgements leave with the batch they answer; false: they may wait for the interval.</summary>
    public bool AckNoDelay { get; init; } = true;

    /// <summary>Segments in flight at most, 1 to 65535.</summary>
    public int SendWindow { get; init; } = 2048;

    /// <summary>Segments held for the application or out of order at most, 1 to 65535.</summary>
    public int ReceiveWindow { get; init; } = 2048;

    /// <summary>Bytes of data in a full segment.</summary>
    public int SegmentSize => Mtu - KcpSegment.HeaderLength;
}
