namespace Tunnel.Protocol.Mux;

/// <summary>What happened since the session began; plain fields, written by the owner only.</summary>
public struct MuxCounters
{
    /// <summary>Streams that this end opened.</summary>
    public long Opened;

    /// <summary>Streams that the peer opened.</summary>
    public long Accepted;

    /// <summary>Streams that ended in order, both ways.</summary>
    public long Finished;

    /// <summary>Streams that this end closed before both ways had ended.</summary>
    public long Closed;

    /// <summary>Streams that the peer broke off.</summary>
    public long Reset;

    /// <summary>Streams that were open when the session ended.</summary>
    public long Lost;

    /// <summary>Streams refused, or not opened, because the session has as many as it may.</summary>
    public long RefusedBySession;

    /// <summary>Streams refused, or not opened, because all sessions together have as many as they may.</summary>
    public long RefusedInAll;

    /// <summary>Streams refused, or not opened, because all sessions together hold as much memory as they may.</summary>
    public long RefusedForMemory;

    /// <summary>Bytes of data sent in streams.</summary>
    public long BytesSent;

    /// <summary>Bytes of data received in streams.</summary>
    public long BytesReceived;

    public void Add(in MuxCounters other)
    {
        Opened += other.Opened;
        Accepted += other.Accepted;
        Finished += other.Finished;
        Closed += other.Closed;
        Reset += other.Reset;
        Lost += other.Lost;
        RefusedBySession += other.RefusedBySession;
        RefusedInAll += other.RefusedInAll;
        RefusedForMemory += other.RefusedForMemory;
        BytesSent += other.BytesSent;
        BytesReceived += other.BytesReceived;
    }
}
