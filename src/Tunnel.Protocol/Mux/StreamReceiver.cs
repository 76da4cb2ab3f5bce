using Tunnel.Protocol.Primitives;

namespace Tunnel.Protocol.Mux;

/// <summary>
/// What has come for streams and waits for their readers, as bytes or, where frames are datagrams, as frames. A peer that sends more than it was
/// granted is found out here; in version 1, which grants nothing, whoever delivers has to wait while too much is unread.
/// </summary>
internal sealed class StreamReceiver(MuxOptions options, IStreamAdmission? admission, WindowGrants grants, Queue<MuxEvent> events)
{
    private MuxStream? _target;
    private bool _waits;

    /// <summary>Bytes that wait for readers.</summary>
    public long Unread { get; private set; }

    /// <summary>Bytes that have come in all.</summary>
    public long BytesReceived { get; private set; }

    /// <summary>Nothing more is taken until something has been read.</summary>
    public bool IsFull => options.Version == 1 && Unread >= options.SessionBuffer;

    /// <summary>As <see cref="IsFull"/>, for whoever comes with something: that is told once.</summary>
    public bool MustWait()
    {
        bool isFull = IsFull;
        if (isFull && !_waits)
            admission?.OnBound(BufferBound.SessionFull);
        return _waits = isFull;
    }

    /// <summary>
    /// A frame with data begins, of a stream that may be there or not. One of a stream that holds as many datagrams as it may is nobody's.
    /// </summary>
    public void BeginFrame(MuxStream? stream, int length)
    {
        _target = stream;
        if (stream?.Frames is not { Count: >= FrameLengths.Maximum })
            return;
        if (!stream.ReadsFrames)
        {
            stream.Frames = null;
            return;
        }

        _target = null;
        stream.DatagramsDropped++;
        stream.BytesReceived += length;
        BytesReceived += length;
        grants.OnRead(stream, length);
    }

    /// <summary>Some of its data came; false when the peer was not granted so much.</summary>
    public bool TryTake(ReadOnlySpan<byte> data)
    {
        if (_target is not { IsClosed: false, PeerFinished: false } stream)
            return true;
        if (!grants.Allows(stream, data.Length, Unread))
            return false;
        bool wasFull = stream.Available >= stream.Granted.Size;
        stream.Received.Write(data);
        if (!wasFull && stream.Available >= stream.Granted.Size)
            admission?.OnBound(BufferBound.StreamFull);
        stream.BytesReceived += data.Length;
        BytesReceived += data.Length;
        Unread += data.Length;
        stream.Frames?.Add(data.Length);
        if (!stream.ReadsFrames)
            RaiseReadable(stream);
        return true;
    }

    /// <summary>That was all of it.</summary>
    public void EndFrame()
    {
        MuxStream? stream = _target;
        _target = null;
        if (stream is not { IsClosed: false, Frames: { } frames })
            return;
        frames.End();
        if (stream.ReadsFrames)
            RaiseReadable(stream);
    }

    /// <summary>The peer will write no more.</summary>
    public void Finish(MuxStream stream)
    {
        stream.PeerFinished = true;
        RaiseReadable(stream);
    }

    /// <summary>Takes what was received, in order; 0 when there is nothing (yet).</summary>
    public int Read(MuxStream stream, Span<byte> destination)
    {
        int count = stream.Received.Read(destination);
        Unread -= count;
        stream.Frames?.Skip(count);
        stream.ReadableRaised &= stream.Available != 0;
        if (count != 0 && !stream.IsClosed)
            grants.OnRead(stream, count);
        return count;
    }

    /// <summary>Takes one frame of a stream that reads frames: its length, or -1 for none (yet).</summary>
    public int ReadFrame(MuxStream stream, Span<byte> destination)
    {
        if (!stream.HasInput)
            return -1;
        int length = stream.Frames!.Take();
        Invariant.Check(stream.Received.Read(destination[..length]) == length);
        Unread -= length;
        stream.ReadableRaised &= stream.HasInput;
        if (!stream.IsClosed)
            grants.OnRead(stream, length);
        return length;
    }

    /// <summary>The stream is closed: nobody will read the rest.</summary>
    public void Discard(MuxStream stream)
    {
        Unread -= stream.Available;
        stream.Received.Clear();
    }

    private void RaiseReadable(MuxStream stream)
    {
        if (stream.ReadableRaised)
            return;
        stream.ReadableRaised = true;
        events.Enqueue(new MuxEvent(MuxEventKind.Readable, stream));
    }
}
