using Tunnel.Protocol.Primitives;

namespace Tunnel.Protocol.Mux;

/// <summary>
/// One stream of a session. Its state changes only through its <see cref="MuxSession"/>, under the session's owner; it buffers
/// nothing that it sends (the writer's memory is read when there is room) and at most its window of what it receives.
/// </summary>
public sealed class MuxStream
{
    internal MuxStream(uint id, BlockPool pool)
    {
        Id = id;
        Received = new ByteQueue(pool);
    }

    public uint Id { get; }

    /// <summary>For the owner's use.</summary>
    public object? Tag { get; set; }

    /// <summary>Bytes that can be read now.</summary>
    public int Available => Received.Length;

    /// <summary>Something can be read now: a byte, or, where frames are datagrams, one of them.</summary>
    public bool HasInput => Received.Length != 0 && (!ReadsFrames || Frames!.Count != 0);

    /// <summary>Nothing can be read any more: the peer will write no more, or the stream is gone. The beginning of a frame is not waited for then.</summary>
    public bool EndOfStream => !HasInput && (PeerFinished || IsClosed);

    /// <summary>The peer will write no more.</summary>
    public bool PeerFinished { get; internal set; }

    /// <summary>Closed at this end, or with its session: nothing can be read or written.</summary>
    public bool IsClosed { get; internal set; }

    /// <summary>The peer broke the stream off; what it had sent before may be missing.</summary>
    public bool IsReset { get; internal set; }

    /// <summary>This end will write no more.</summary>
    public bool WriteClosed { get; internal set; }

    /// <summary>Both ends have said that they write no more.</summary>
    internal bool IsFinished => PeerFinished && FinishSent;

    /// <summary>A write is under way.</summary>
    public bool HasPendingWrite => !PendingWrite.IsEmpty;

    /// <summary>Bytes of data sent since the stream opened.</summary>
    public long BytesSent { get; internal set; }

    /// <summary>Bytes of data received since the stream opened.</summary>
    public long BytesReceived { get; internal set; }

    /// <summary>Datagrams dropped: received and not read in time, or not sent because the peer's window became too small.</summary>
    public long DatagramsDropped { get; internal set; }

    internal ByteQueue Received { get; }

    /// <summary>Null when where frames end does not matter (any more).</summary>
    internal FrameLengths? Frames { get; set; }

    /// <summary>What is read is frames, not bytes.</summary>
    internal bool ReadsFrames { get; set; }

    internal ReadOnlyMemory<byte> PendingWrite { get; set; }

    /// <summary>The pending write goes out as one frame or not at all.</summary>
    internal bool PendingIsDatagram { get; set; }

    internal bool FinishSent { get; set; }

    internal bool IsReady { get; set; }

    internal bool ReadableRaised { get; set; }

    /// <summary>Nobody here waits for its end.</summary>
    internal bool IsReleased { get; set; }

    internal PeerWindow PeerWindow = new();

    internal GrantedWindow Granted = new();
}
