namespace Tunnel.Protocol.Mux;

/// <summary>
/// What this end lets its streams' peers send. In version 2 the session's buffer is divided among the streams, and each peer is told its part as
/// its bytes are read; version 1 has no word for it.
/// </summary>
internal sealed class WindowGrants(MuxOptions options, IStreamAdmission? admission, StreamTable streams, ControlFrames control)
{
    private const int MinimumWindow = 16_384;

    /// <summary>Bytes that peers may have on their way, by their first guess, when this end says that a window is smaller.</summary>
    private const int Overshoot = 16 << 20;

    /// <summary>A stream begins. With many, the guess that its peer begins with would let all of them hold more than the session may.</summary>
    public void OnOpened(MuxStream stream)
    {
        if (options.Version == 2 && FairWindow < MuxSession.InitialWindow)
            Tell(stream);
    }

    /// <summary>The reader took bytes, or nobody will: the peer may send as many more.</summary>
    public void OnRead(MuxStream stream, int count)
    {
        stream.Granted.Read(count);
        if (options.Version != 2 || stream.PeerFinished)
            return;
        if (stream.Granted.IsUpdateDue || MayHoldUp(stream))
            Tell(stream);
    }

    /// <summary>The peer keeps to what it was granted if it sends so much on this stream while so much is unread on all of them.</summary>
    public bool Allows(MuxStream stream, int count, long unread) =>
        options.Version != 2 || (stream.Available + count <= stream.Granted.Largest && (unread <= UsualUnread || unread - Promised() <= MaximumBeyond));

    /// <summary>A datagram goes out whole or not at all, and may be longer than half a window: its sender waits for the rest to be given back.</summary>
    private static bool MayHoldUp(MuxStream stream) =>
        stream is { ReadsFrames: true, HasInput: false } && stream.Granted.Left < MuxFrame.MaximumData;

    /// <summary>More than peers that keep to their windows make this end hold as a rule: beyond it, it is looked at what each was told.</summary>
    private long UsualUnread => options.SessionBuffer + (long)Math.Max(options.MaxStreams, streams.Count) * MinimumWindow + Overshoot;

    /// <summary>Of bytes that no stream was promised room for: first guesses, and streams that ended and are not read.</summary>
    private long MaximumBeyond => Math.Max(options.SessionBuffer, Overshoot);

    /// <summary>
    /// Unread bytes that peers were promised room for. Streams that begin one after the other are told the session's buffer, half of it, a third and so
    /// on, which is more than the buffer together where all of them stall: nothing is taken back.
    /// </summary>
    private long Promised()
    {
        long bytes = 0;
        foreach (MuxStream stream in streams.All)
            bytes += Math.Min(stream.Available, stream.Granted.Promised);
        return bytes;
    }

    /// <summary>What a stream is granted now. What was granted before is kept, whatever becomes of this.</summary>
    private int FairWindow
    {
        get
        {
            int shift = admission?.WindowShift ?? 0;
            int ofSession = (options.SessionBuffer >> shift) / Math.Max(1, streams.Count);
            return Math.Min(options.StreamBuffer, Math.Max(MinimumWindow, Math.Min(options.StreamBuffer >> shift, ofSession)));
        }
    }

    private void Tell(MuxStream stream)
    {
        stream.Granted.Tell(FairWindow);
        control.AddWindow(stream.Id, stream.Granted.Consumed, stream.Granted.Size);
    }
}
