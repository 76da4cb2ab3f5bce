using Tunnel.Protocol.Primitives;

namespace Tunnel.Protocol.Mux;

/// <summary>
/// What leaves next of the streams' data: one frame a ready stream in turn, so that no stream starves another. A stream is ready while its peer's
/// window has room for what its writer has handed over, or has only the end to be told. Nothing is copied before there is room for it.
/// </summary>
internal sealed class StreamSender(int version, Queue<MuxEvent> events)
{
    private readonly Queue<MuxStream> _ready = new();

    // The rest of the datagram whose frame a segment's end has cut.
    private ReadOnlyMemory<byte> _unfinished;
    private MuxStream? _unfinishedStream;

    /// <summary>Streams that have something that may leave.</summary>
    public int ReadyCount => _ready.Count;

    public bool HasOutput => _ready.Count != 0 || !_unfinished.IsEmpty;

    /// <summary>Bytes of data sent in all.</summary>
    public long BytesSent { get; private set; }

    /// <summary>Takes over memory to send; false when the stream takes no more.</summary>
    public bool TryWrite(MuxStream stream, ReadOnlyMemory<byte> data)
    {
        if (stream.IsClosed || stream.WriteClosed)
            return false;
        Invariant.Check(!stream.HasPendingWrite);
        stream.PendingWrite = data;
        if (data.IsEmpty)
            RaiseWritten(stream);
        else
            MakeReady(stream);
        return true;
    }

    /// <summary>Takes over memory that goes out as one frame.</summary>
    public DatagramWrite TryWriteDatagram(MuxStream stream, ReadOnlyMemory<byte> data)
    {
        if (stream.IsClosed || stream.WriteClosed)
            return DatagramWrite.Closed;
        Invariant.Check(!stream.HasPendingWrite);
        if (data.IsEmpty || data.Length > MuxFrame.MaximumData || !CanEverSend(stream, data.Length))
            return DatagramWrite.Impossible;
        stream.PendingWrite = data;
        stream.PendingIsDatagram = true;
        MakeReady(stream);
        return DatagramWrite.Taken;
    }

    /// <summary>The end is told behind the pending write.</summary>
    public void CloseWrite(MuxStream stream)
    {
        if (stream.IsClosed || stream.WriteClosed)
            return;
        stream.WriteClosed = true;
        MakeReady(stream);
    }

    /// <summary>The peer said how much it has read and how large its window is.</summary>
    public void OnPeerWindow(MuxStream stream, uint consumed, uint size)
    {
        stream.PeerWindow.Update(consumed, size);
        if (stream.PendingIsDatagram && stream != _unfinishedStream && !CanEverSend(stream, stream.PendingWrite.Length))
        {
            stream.DatagramsDropped++;
            EndDatagram(stream);
        }

        MakeReady(stream);
    }

    /// <summary>The stream is closed: what has not been sent is not, but for the rest of a frame.</summary>
    public void Discard(MuxStream stream)
    {
        stream.PendingWrite = default;
        if (stream != _unfinishedStream)
            return;
        // The peer was promised a whole frame, and the writer will want its memory back.
        _unfinished = _unfinished.ToArray();
        _unfinishedStream = null;
    }

    /// <summary>The session has ended: nothing leaves any more.</summary>
    public void Clear()
    {
        _unfinished = default;
        _unfinishedStream = null;
        _ready.Clear();
    }

    /// <summary>Sends on in the frame that a segment's end cut; false while there is more of it, and so room for nothing else.</summary>
    public bool TryWriteUnfinished(ref FrameWriter writer)
    {
        int count = writer.Write(_unfinished.Span);
        _unfinished = _unfinished[count..];
        if (!_unfinished.IsEmpty)
            return false;
        if (_unfinishedStream is not { } stream)
            return true;
        _unfinishedStream = null;
        EndDatagram(stream);
        return true;
    }

    /// <summary>Writes frames of ready streams in turn while there is room for a byte.</summary>
    public void WriteReady(ref FrameWriter writer)
    {
        while (writer.Room > MuxFrame.HeaderLength && _ready.TryDequeue(out MuxStream? stream))
        {
            stream.IsReady = false;
            if (stream.PendingIsDatagram)
                WriteDatagram(ref writer, stream);
            else
                WriteData(ref writer, stream);
            WriteFinish(ref writer, stream);
            MakeReady(stream);
        }
    }

    private void WriteData(ref FrameWriter writer, MuxStream stream)
    {
        int length = Math.Min(Room(stream), writer.Room - MuxFrame.HeaderLength);
        length = Math.Min(Math.Min(length, stream.PendingWrite.Length), MuxFrame.MaximumData);
        if (length <= 0)
            return;
        writer.WriteHeader(MuxCommand.Data, length, stream.Id);
        writer.Write(stream.PendingWrite.Span[..length]);
        stream.PendingWrite = stream.PendingWrite[length..];
        CountSent(stream, length);
        if (!stream.HasPendingWrite)
            RaiseWritten(stream);
    }

    private void WriteDatagram(ref FrameWriter writer, MuxStream stream)
    {
        if (!CanSend(stream))
            return;
        writer.WriteHeader(MuxCommand.Data, stream.PendingWrite.Length, stream.Id);
        CountSent(stream, stream.PendingWrite.Length);
        _unfinished = stream.PendingWrite;
        _unfinishedStream = stream;
        TryWriteUnfinished(ref writer);
    }

    private void EndDatagram(MuxStream stream)
    {
        stream.PendingWrite = default;
        stream.PendingIsDatagram = false;
        RaiseWritten(stream);
        MakeReady(stream);
    }

    private static void WriteFinish(ref FrameWriter writer, MuxStream stream)
    {
        if (!stream.WriteClosed || stream.HasPendingWrite || stream.FinishSent || stream.IsClosed)
            return;
        if (!writer.TryWrite(MuxCommand.Finish, stream.Id))
            return;
        stream.FinishSent = true;
    }

    private void CountSent(MuxStream stream, int length)
    {
        stream.BytesSent += length;
        BytesSent += length;
    }

    private bool CanSend(MuxStream stream)
    {
        if (stream.IsClosed || stream.FinishSent)
            return false;
        if (stream.PendingIsDatagram)
            return stream != _unfinishedStream && Room(stream) >= stream.PendingWrite.Length;
        return stream.HasPendingWrite ? Room(stream) > 0 : stream.WriteClosed;
    }

    private bool CanEverSend(MuxStream stream, int length) => version == 1 || length <= stream.PeerWindow.Size;

    /// <summary>Bytes that the peer's window allows.</summary>
    private int Room(MuxStream stream) => version == 1 ? int.MaxValue : stream.PeerWindow.Room(stream.BytesSent);

    private void MakeReady(MuxStream stream)
    {
        if (stream.IsReady || !CanSend(stream))
            return;
        stream.IsReady = true;
        _ready.Enqueue(stream);
    }

    private void RaiseWritten(MuxStream stream) => events.Enqueue(new MuxEvent(MuxEventKind.Written, stream));
}
