using System.Buffers.Binary;
using Tunnel.Protocol.Primitives;

namespace Tunnel.Protocol.Mux;

/// <summary>
/// smux, versions 1 and 2 (xtaci/smux): streams over one ordered byte stream. Bytes come in through <see cref="TryDeliver"/> and go
/// out through <see cref="Fill"/>, frames of at most a segment, control first, then one frame a ready stream in turn, so that no
/// stream starves another.
/// </summary>
/// <remarks>
/// In version 2 the session's buffer is divided into the streams' windows: a stream that is not read stops its own peer and nobody
/// else's. Version 1 has no windows; there a session whose buffer is full stops, as smux does.
/// </remarks>
public sealed class MuxSession : IOrderedByteUser
{
    /// <summary>The window that a version 2 peer assumes until it is told.</summary>
    public const int InitialWindow = 262_144;

    private const int MinimumWindow = 16_384;

    /// <summary>Bytes that peers may have on their way, by their first guess, when this end says that a window is smaller.</summary>
    private const int Overshoot = 16 << 20;

    /// <summary>What a stream takes besides its data, at this end and above: an estimate, in bytes.</summary>
    private const int StreamCost = 2048;

    /// <summary>What waits for a peer that goes on talking, over one thing a stream.</summary>
    private const int MaximumWaiting = 65_536;

    private const int MaximumControl = 16_384;

    /// <summary>Milliseconds in which an end that was held up reads what came meanwhile.</summary>
    private const int TimeToRead = 1000;

    private readonly MuxOptions _options;
    private readonly IStreamAdmission? _admission;
    private readonly Dictionary<uint, MuxStream> _streams = [];
    private readonly Queue<ControlFrame> _control = new();
    private readonly Queue<(MuxCommand Command, uint Id)> _endings = new();
    private readonly Queue<MuxStream> _ready = new();
    private readonly Queue<MuxEvent> _events = new();
    private readonly BlockPool _pool = new();
    private readonly byte[] _header = new byte[MuxFrame.HeaderLength + MuxFrame.WindowUpdateLength];
    private int _headerFilled;
    private int _payloadLeft;
    private MuxStream? _payloadStream;
    private ReadOnlyMemory<byte> _unfinished;
    private MuxStream? _unfinishedStream;
    private bool _wasBlocked;
    private uint _nextId;
    private long _now;
    private SignsOfLife _life;
    private MuxCounters _counters;

    /// <param name="options">Valid knobs.</param>
    /// <param name="isClient">Clients open odd streams from 3, servers even ones from 2.</param>
    /// <param name="now">Milliseconds.</param>
    /// <param name="admission">A cap over all sessions, if there is one.</param>
    /// <param name="phase">Differs from session to session: when the first sign of life goes out.</param>
    public MuxSession(MuxOptions options, bool isClient, long now, IStreamAdmission? admission = null, uint phase = 0)
    {
        _options = options;
        _admission = admission;
        _nextId = isClient ? 1u : 0u;
        _now = now;
        _life = new SignsOfLife(options, asks: isClient, phase, now);
    }

    public int StreamCount => _streams.Count;

    /// <summary>As many streams are open as may be.</summary>
    public bool IsFull => _streams.Count >= (_admission?.MaxStreams ?? _options.MaxStreams);

    /// <summary>All numbers for streams of this end are used up: it opens no more.</summary>
    public bool IsSpent => _nextId > uint.MaxValue - 2;

    public IReadOnlyCollection<MuxStream> Streams => _streams.Values;

    /// <summary>Bytes that wait for readers.</summary>
    public long Buffered { get; private set; }

    public long MemoryUse => _pool.MemoryUse + (long)_streams.Count * StreamCost;

    public CloseReason CloseReason { get; private set; }

    public bool IsClosed => CloseReason != CloseReason.None;

    /// <summary>Frames have come: a peer that speaks smux is there.</summary>
    public bool PeerSpoke { get; private set; }

    /// <summary>The peer announced that it knows <see cref="MuxCommand.Reset"/>; otherwise a break looks like an end.</summary>
    public bool PeerTakesReset { get; set; }

    /// <summary>The peer announced that an acknowledgement is a sign of life to it: this end sends none of its own while it hears from it.</summary>
    public bool OneSignOfLifeIsEnough
    {
        get => _life.OneIsEnough;
        set => _life.OneIsEnough = value;
    }

    /// <summary>Streams opened by the peer and refused because a cap was reached.</summary>
    public long StreamsRefused { get; private set; }

    /// <summary>What happened so far.</summary>
    public MuxCounters Counters => _counters;

    public bool HasOutput => !IsClosed && (_control.Count != 0 || _ready.Count != 0 || _endings.Count != 0 || !_unfinished.IsEmpty);

    /// <summary>When <see cref="Advance"/> is wanted, in milliseconds.</summary>
    public long Deadline => IsClosed ? long.MaxValue : Math.Min(_life.NextAt, _life.DeadAt);

    /// <summary>A peer that opens and opens, and reads and reads, without ever taking an answer would make the queues grow for ever.</summary>
    private bool TakesNothing => _control.Count + _endings.Count + _ready.Count >= MaximumWaiting + _streams.Count;

    private bool IsBlocked => _options.Version == 1 && Buffered >= _options.SessionBuffer;

    public bool TryTakeEvent(out MuxEvent e) => _events.TryDequeue(out e);

    /// <summary>Lets what is due happen; true once an interval, when memory that nobody needed meanwhile is given back.</summary>
    public bool Advance(long now)
    {
        _now = now;
        if (IsClosed)
            return false;
        // While this end does not read, silence is its own doing.
        if (IsBlocked)
            _life.Hear(now);
        if (now >= _life.DeadAt)
        {
            Close(CloseReason.KeepAliveTimeout);
            return false;
        }

        if (!_life.TryTakeTurn(now, out bool isSilent))
            return false;
        if (isSilent)
            _control.Enqueue(new ControlFrame(MuxCommand.KeepAlive, 0));
        _pool.Trim();
        return true;
    }

    /// <summary>The peer has acknowledged, in order, what it had not before: it reads, and so it lives. When that was, in milliseconds.</summary>
    public void OnAcknowledged(long at) => _life.Hear(at);

    /// <summary>
    /// This end was held up for so many milliseconds, which do not count as the peer's silence; and what came meanwhile is still to be read, so
    /// some time is left for that.
    /// </summary>
    public void Excuse(long time, long now) => _life.Excuse(time, TimeToRead, now);

    /// <summary>Gives all memory back that nothing is in. Allowed within <see cref="IStreamAdmission.Admit"/>.</summary>
    public void Reclaim() => _pool.Reclaim();

    /// <summary>Sends a sign of life before its time, for the acknowledgement that a living peer gives; not many at once.</summary>
    public void Nudge()
    {
        if (!IsClosed && _control.Count == 0)
            _control.Enqueue(new ControlFrame(MuxCommand.KeepAlive, 0));
    }

    /// <summary>Opens a stream; null when the session is closed, a cap is reached, or the numbers are used up.</summary>
    public MuxStream? Open()
    {
        if (IsClosed || IsSpent)
            return null;
        // A peer that takes nothing: streams opened and given up meanwhile must not pile up here.
        if (_control.Count >= MaximumControl || _endings.Count >= MaximumControl)
            return null;
        if (!TryAdmit())
            return null;
        _nextId += 2;
        _counters.Opened++;
        MuxStream stream = Add(_nextId);
        _control.Enqueue(new ControlFrame(MuxCommand.Open, stream.Id));
        ShrinkInitialWindow(stream);
        return stream;
    }

    /// <summary>
    /// Hands over memory to send. It is read as the peer takes it, until <see cref="MuxEventKind.Written"/>; it must stay unchanged
    /// till then. One write at a time. False when the stream takes no more.
    /// </summary>
    public bool TryWrite(MuxStream stream, ReadOnlyMemory<byte> data)
    {
        if (stream.IsClosed || stream.WriteClosed)
            return false;
        Invariant.Check(!stream.HasPendingWrite);
        stream.PendingWrite = data;
        if (data.IsEmpty)
            Raise(MuxEventKind.Written, stream);
        else
            MakeReady(stream);
        return true;
    }

    /// <summary>
    /// As <see cref="TryWrite"/>, but the data goes out as one frame, over as many segments as it takes, once the peer's window has
    /// room for all of it. When that window becomes smaller than the datagram, it is dropped, and counted by the stream.
    /// </summary>
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

    /// <summary>
    /// From now on frames are read, with <see cref="ReadFrame"/>: those that come, and those that wait. False when too many came
    /// for their ends to be still known. Streams that this end opened are told before anything comes.
    /// </summary>
    public static bool ReadFrames(MuxStream stream)
    {
        if (stream.Frames is null && stream.BytesReceived != 0)
            return false;
        stream.Frames ??= new FrameLengths();
        stream.ReadsFrames = true;
        stream.ReadableRaised = stream.HasInput;
        return true;
    }

    /// <summary>From now on where frames end does not matter: a stream that the peer opened need not remember it.</summary>
    public static void ReadBytes(MuxStream stream) => stream.Frames = stream.ReadsFrames ? stream.Frames : null;

    /// <summary>Takes one frame: its length, or -1 for none (yet).</summary>
    /// <param name="stream">One that reads frames.</param>
    /// <param name="destination">Room for <see cref="MuxFrame.MaximumData"/>.</param>
    public int ReadFrame(MuxStream stream, Span<byte> destination)
    {
        if (!stream.HasInput || stream.IsClosed)
            return -1;
        int length = stream.Frames!.Take();
        Invariant.Check(stream.Received.Read(destination[..length]) == length);
        Buffered -= length;
        stream.ReadableRaised &= stream.HasInput;
        Consume(stream, length);
        return length;
    }

    /// <summary>Takes what was received, in order; 0 when there is nothing (yet): see <see cref="MuxStream.EndOfStream"/>.</summary>
    public int Read(MuxStream stream, Span<byte> destination)
    {
        int count = stream.Received.Read(destination);
        Buffered -= count;
        stream.Frames?.Skip(count);
        stream.ReadableRaised &= stream.Available != 0;
        if (count != 0 && !stream.IsClosed)
            Consume(stream, count);
        return count;
    }

    /// <summary>Tells the peer that this end writes no more, once the pending write is sent.</summary>
    public void CloseWrite(MuxStream stream)
    {
        if (stream.IsClosed || stream.WriteClosed)
            return;
        stream.WriteClosed = true;
        MakeReady(stream);
    }

    /// <summary>Closes the stream at once, both ways; what was not sent or read is dropped.</summary>
    public void Close(MuxStream stream)
    {
        if (stream.IsClosed)
            return;
        // Whoever has said and heard everything ends in order, even if the FIN has not found room yet.
        bool orderly = stream.PeerFinished && stream.WriteClosed && !stream.HasPendingWrite;
        MuxCommand ending = PeerTakesReset && !orderly ? MuxCommand.Reset : MuxCommand.Finish;
        bool tellPeer = !stream.FinishSent || ending == MuxCommand.Reset;
        if (Remove(stream))
            CountEnd(orderly);
        Discard(stream);
        if (tellPeer && !IsClosed)
            _endings.Enqueue((ending, stream.Id));
    }

    /// <summary>Ends the session and every stream; nothing is sent any more.</summary>
    public void Close(CloseReason reason)
    {
        if (IsClosed)
            return;
        CloseReason = reason;
        _counters.Lost += _streams.Count;
        foreach (MuxStream stream in _streams.Values)
        {
            stream.IsClosed = true;
            stream.PendingWrite = default;
            ReleaseAdmission(stream);
            Raise(MuxEventKind.Readable, stream);
            Raise(MuxEventKind.Written, stream);
        }

        _unfinished = default;
        _unfinishedStream = null;
        _streams.Clear();
        _control.Clear();
        _ready.Clear();
        _endings.Clear();
    }

    /// <inheritdoc/>
    public bool TryDeliver(ReadOnlySpan<byte> data)
    {
        if (IsBlocked && !_wasBlocked)
            _admission?.OnBound(BufferBound.SessionFull);
        _wasBlocked = IsBlocked;
        if (_wasBlocked)
            return false;
        while (!data.IsEmpty && !IsClosed)
        {
            if (_payloadLeft != 0)
                data = TakePayload(data);
            else
                data = TakeHeader(data);
        }

        return true;
    }

    /// <summary>Says what time it is for what the next deliveries mean to keepalive; milliseconds.</summary>
    public void SetTime(long now) => _now = now;

    /// <inheritdoc/>
    public int Fill(Span<byte> destination)
    {
        int written = 0;
        if (!ContinueDatagram(destination, ref written))
            return written;
        while (_control.TryPeek(out ControlFrame frame) && TryWriteControl(destination, ref written, frame))
            _control.Dequeue();
        if (_control.Count != 0)
            return written;
        while (_endings.TryPeek(out var ending) && TryWriteControl(destination, ref written, new ControlFrame(ending.Command, ending.Id)))
            _endings.Dequeue();
        while (destination.Length - written > MuxFrame.HeaderLength && _ready.TryDequeue(out MuxStream? stream))
        {
            stream.IsReady = false;
            WriteData(destination, ref written, stream);
            WriteFinish(destination, ref written, stream);
            if (CanSend(stream))
                MakeReady(stream);
        }

        return written;
    }

    private ReadOnlySpan<byte> TakeHeader(ReadOnlySpan<byte> data)
    {
        int wanted = MuxFrame.HeaderLength;
        if (_headerFilled >= wanted && (MuxCommand)_header[1] == MuxCommand.WindowUpdate)
            wanted += MuxFrame.WindowUpdateLength;
        int n = Math.Min(wanted - _headerFilled, data.Length);
        data[..n].CopyTo(_header.AsSpan(_headerFilled));
        _headerFilled += n;
        if (_headerFilled == wanted)
            TakeFrame(MuxFrame.Read(_header));
        return data[n..];
    }

    private void TakeFrame(MuxFrame frame)
    {
        if (frame.Version != _options.Version || !IsLengthAllowed(frame) || TakesNothing)
        {
            Close(CloseReason.ProtocolError);
            return;
        }

        if (frame.Command == MuxCommand.WindowUpdate && _headerFilled == MuxFrame.HeaderLength)
            return;
        _headerFilled = 0;
        _life.Hear(_now);
        PeerSpoke = true;
        switch (frame.Command)
        {
            case MuxCommand.Open:
                OnOpen(frame.StreamId);
                break;
            case MuxCommand.Finish:
                OnFinish(frame.StreamId);
                break;
            case MuxCommand.Data:
                _payloadLeft = frame.Length;
                _payloadStream = Receiver(frame);
                break;
            case MuxCommand.WindowUpdate:
                OnWindowUpdate(frame.StreamId, _header.AsSpan(MuxFrame.HeaderLength));
                break;
            case MuxCommand.Reset:
                OnReset(frame.StreamId);
                break;
            case MuxCommand.KeepAlive:
                break;
        }
    }

    private bool IsLengthAllowed(MuxFrame frame) => frame.Command switch
    {
        MuxCommand.Open or MuxCommand.Finish or MuxCommand.KeepAlive or MuxCommand.Reset => frame.Length == 0,
        MuxCommand.Data => true,
        MuxCommand.WindowUpdate => _options.Version == 2 && frame.Length == MuxFrame.WindowUpdateLength,
        _ => false,
    };

    private ReadOnlySpan<byte> TakePayload(ReadOnlySpan<byte> data)
    {
        int n = Math.Min(_payloadLeft, data.Length);
        if (_payloadStream is { IsClosed: false, PeerFinished: false } stream)
            Accept(stream, data[..n]);
        _payloadLeft -= n;
        if (_payloadLeft == 0)
            EndFrame();
        return data[n..];
    }

    /// <summary>Whose a frame's data is; nobody's when the stream is not there, or holds as many datagrams as it may.</summary>
    private MuxStream? Receiver(MuxFrame frame)
    {
        if (!_streams.TryGetValue(frame.StreamId, out MuxStream? stream) || stream.Frames is not { Count: >= FrameLengths.Maximum })
            return stream;
        if (!stream.ReadsFrames)
        {
            stream.Frames = null;
            return stream;
        }

        stream.DatagramsDropped++;
        stream.BytesReceived += frame.Length;
        _counters.BytesReceived += frame.Length;
        Consume(stream, frame.Length);
        return null;
    }

    private void EndFrame()
    {
        MuxStream? stream = _payloadStream;
        _payloadStream = null;
        if (stream is not { IsClosed: false, Frames: { } frames })
            return;
        frames.End();
        if (stream.ReadsFrames)
            RaiseReadable(stream);
    }

    private void Accept(MuxStream stream, ReadOnlySpan<byte> data)
    {
        if (_options.Version == 2 && (stream.Available + data.Length > stream.LargestWindow || Buffered > MaximumBuffered))
        {
            Close(CloseReason.WindowExceeded);
            _admission?.OnBound(BufferBound.Exceeded);
            return;
        }

        bool wasFull = stream.Available >= stream.Window;
        stream.Received.Write(data);
        if (!wasFull && stream.Available >= stream.Window)
            _admission?.OnBound(BufferBound.StreamFull);
        stream.BytesReceived += data.Length;
        _counters.BytesReceived += data.Length;
        Buffered += data.Length;
        stream.Frames?.Add(data.Length);
        if (!stream.ReadsFrames)
            RaiseReadable(stream);
    }

    private void OnOpen(uint id)
    {
        if (_streams.ContainsKey(id))
            return;
        // A number of our own half could be the next one that Open takes.
        if (id % 2 == _nextId % 2)
        {
            Close(CloseReason.ProtocolError);
            return;
        }

        if (!TryAdmit())
        {
            StreamsRefused++;
            _endings.Enqueue((MuxCommand.Finish, id));
            return;
        }

        _counters.Accepted++;
        MuxStream stream = Add(id);
        // Whether its frames are datagrams, the header will say; they may be there before it has been read.
        stream.Frames = new FrameLengths();
        ShrinkInitialWindow(stream);
        Raise(MuxEventKind.Opened, stream);
    }

    /// <summary>No cap is in the way of another stream; which one was is counted. Where somebody admits, its caps count: they may have changed.</summary>
    private bool TryAdmit()
    {
        StreamAdmission own = _streams.Count < _options.MaxStreams ? StreamAdmission.Admitted : StreamAdmission.SessionIsFull;
        StreamAdmission admission = _admission?.Admit(_streams.Count) ?? own;
        _counters.RefusedBySession += admission == StreamAdmission.SessionIsFull ? 1 : 0;
        _counters.RefusedInAll += admission == StreamAdmission.AllAreFull ? 1 : 0;
        _counters.RefusedForMemory += admission == StreamAdmission.OutOfMemory ? 1 : 0;
        return admission == StreamAdmission.Admitted;
    }

    private void OnFinish(uint id)
    {
        if (!_streams.TryGetValue(id, out MuxStream? stream) || stream.PeerFinished)
            return;
        stream.PeerFinished = true;
        RaiseReadable(stream);
        if (stream.FinishSent && Remove(stream))
            CountEnd(orderly: true);
    }

    private void OnReset(uint id)
    {
        if (!_streams.TryGetValue(id, out MuxStream? stream))
            return;
        _counters.Reset += Remove(stream) ? 1 : 0;
        Discard(stream);
        stream.IsReset = true;
        Raise(MuxEventKind.Readable, stream);
        Raise(MuxEventKind.Written, stream);
    }

    private void OnWindowUpdate(uint id, ReadOnlySpan<byte> data)
    {
        if (!_streams.TryGetValue(id, out MuxStream? stream))
            return;
        stream.PeerConsumed = BinaryPrimitives.ReadUInt32LittleEndian(data);
        stream.PeerWindow = BinaryPrimitives.ReadUInt32LittleEndian(data[4..]);
        if (stream.PendingIsDatagram && stream != _unfinishedStream && !CanEverSend(stream, stream.PendingWrite.Length))
            DropDatagram(stream);
        if (CanSend(stream))
            MakeReady(stream);
    }

    private MuxStream Add(uint id)
    {
        var stream = new MuxStream(id, _pool) { Admitted = true };
        _streams.Add(id, stream);
        return stream;
    }

    /// <summary>False when it had been removed before.</summary>
    private bool Remove(MuxStream stream)
    {
        if (!_streams.Remove(stream.Id))
            return false;
        ReleaseAdmission(stream);
        return true;
    }

    private void CountEnd(bool orderly)
    {
        if (orderly)
            _counters.Finished++;
        else
            _counters.Closed++;
    }

    private void ReleaseAdmission(MuxStream stream)
    {
        if (stream.Admitted)
            _admission?.Release();
        stream.Admitted = false;
    }

    private void Discard(MuxStream stream)
    {
        stream.IsClosed = true;
        stream.PendingWrite = default;
        if (stream == _unfinishedStream)
        {
            // The peer was promised a whole frame, and the writer will want its memory back.
            _unfinished = _unfinished.ToArray();
            _unfinishedStream = null;
        }

        Buffered -= stream.Available;
        stream.Received.Clear();
    }

    /// <summary>The reader took bytes: tell the peer at the first read, and then every half window at the latest (version 2).</summary>
    private void Consume(MuxStream stream, int count)
    {
        stream.Consumed += (uint)count;
        stream.ConsumedSinceUpdate += count;
        if (_options.Version != 2 || stream.PeerFinished)
            return;
        if (!stream.UpdateSent || stream.ConsumedSinceUpdate >= stream.Window / 2 || MayHoldUp(stream))
            SendWindowUpdate(stream);
    }

    /// <summary>A datagram goes out whole or not at all, and may be longer than half a window: its sender waits for the rest to be given back.</summary>
    private static bool MayHoldUp(MuxStream stream) =>
        stream is { ReadsFrames: true, HasInput: false } && stream.Window - stream.ConsumedSinceUpdate < MuxFrame.MaximumData;

    /// <summary>With many streams, the guess that a new one's peer begins with would let all of them hold more than the session may.</summary>
    private void ShrinkInitialWindow(MuxStream stream)
    {
        if (_options.Version == 2 && FairWindow < InitialWindow)
            SendWindowUpdate(stream);
    }

    /// <summary>More than peers that keep to their windows can make this end hold.</summary>
    private long MaximumBuffered => _options.SessionBuffer + (long)Math.Max(_options.MaxStreams, _streams.Count) * MinimumWindow + Overshoot;

    /// <summary>What a stream is granted now. What was granted before is kept, whatever becomes of this.</summary>
    private int FairWindow
    {
        get
        {
            int shift = _admission?.WindowShift ?? 0;
            int ofSession = (_options.SessionBuffer >> shift) / Math.Max(1, _streams.Count);
            return Math.Min(_options.StreamBuffer, Math.Max(MinimumWindow, Math.Min(_options.StreamBuffer >> shift, ofSession)));
        }
    }

    private void SendWindowUpdate(MuxStream stream)
    {
        stream.Window = FairWindow;
        stream.LargestWindow = Math.Max(stream.LargestWindow, stream.Window);
        stream.UpdateSent = true;
        stream.ConsumedSinceUpdate = 0;
        _control.Enqueue(new ControlFrame(MuxCommand.WindowUpdate, stream.Id, stream.Consumed, (uint)stream.Window));
    }

    private bool TryWriteControl(Span<byte> destination, ref int written, ControlFrame frame)
    {
        int length = frame.Command == MuxCommand.WindowUpdate ? MuxFrame.WindowUpdateLength : 0;
        if (destination.Length - written < MuxFrame.HeaderLength + length)
            return false;
        WriteHeader(destination, ref written, frame.Command, length, frame.StreamId);
        if (length == 0)
            return true;
        BinaryPrimitives.WriteUInt32LittleEndian(destination[written..], frame.Consumed);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[(written + 4)..], frame.Window);
        written += length;
        return true;
    }

    private void WriteData(Span<byte> destination, ref int written, MuxStream stream)
    {
        if (stream.PendingIsDatagram)
        {
            WriteDatagram(destination, ref written, stream);
            return;
        }

        int length = Math.Min(SendRoom(stream), destination.Length - written - MuxFrame.HeaderLength);
        length = Math.Min(Math.Min(length, stream.PendingWrite.Length), MuxFrame.MaximumData);
        if (length <= 0)
            return;
        WriteHeader(destination, ref written, MuxCommand.Data, length, stream.Id);
        stream.PendingWrite.Span[..length].CopyTo(destination[written..]);
        written += length;
        stream.PendingWrite = stream.PendingWrite[length..];
        stream.BytesSent += length;
        _counters.BytesSent += length;
        if (!stream.HasPendingWrite)
            Raise(MuxEventKind.Written, stream);
    }

    private void WriteDatagram(Span<byte> destination, ref int written, MuxStream stream)
    {
        if (!CanSend(stream))
            return;
        WriteHeader(destination, ref written, MuxCommand.Data, stream.PendingWrite.Length, stream.Id);
        stream.BytesSent += stream.PendingWrite.Length;
        _counters.BytesSent += stream.PendingWrite.Length;
        _unfinished = stream.PendingWrite;
        _unfinishedStream = stream;
        ContinueDatagram(destination, ref written);
    }

    /// <summary>Sends on in the frame that a segment's end cut; false while there is more of it, and so room for nothing else.</summary>
    private bool ContinueDatagram(Span<byte> destination, ref int written)
    {
        int count = Math.Min(_unfinished.Length, destination.Length - written);
        _unfinished.Span[..count].CopyTo(destination[written..]);
        written += count;
        _unfinished = _unfinished[count..];
        if (!_unfinished.IsEmpty)
            return false;
        if (_unfinishedStream is not { } stream)
            return true;
        _unfinishedStream = null;
        EndDatagram(stream);
        return true;
    }

    private void DropDatagram(MuxStream stream)
    {
        stream.DatagramsDropped++;
        EndDatagram(stream);
    }

    private void EndDatagram(MuxStream stream)
    {
        stream.PendingWrite = default;
        stream.PendingIsDatagram = false;
        Raise(MuxEventKind.Written, stream);
        MakeReady(stream);
    }

    private void WriteFinish(Span<byte> destination, ref int written, MuxStream stream)
    {
        if (!stream.WriteClosed || stream.HasPendingWrite || stream.FinishSent || stream.IsClosed)
            return;
        if (!TryWriteControl(destination, ref written, new ControlFrame(MuxCommand.Finish, stream.Id)))
            return;
        stream.FinishSent = true;
        if (stream.PeerFinished && Remove(stream))
            CountEnd(orderly: true);
    }

    private void WriteHeader(Span<byte> destination, ref int written, MuxCommand command, int length, uint id)
    {
        new MuxFrame((byte)_options.Version, command, (ushort)length, id).Write(destination[written..]);
        written += MuxFrame.HeaderLength;
    }

    private bool CanSend(MuxStream stream)
    {
        if (stream.IsClosed || stream.FinishSent)
            return false;
        if (stream.PendingIsDatagram)
            return stream != _unfinishedStream && SendRoom(stream) >= stream.PendingWrite.Length;
        return stream.HasPendingWrite ? SendRoom(stream) > 0 : stream.WriteClosed;
    }

    private bool CanEverSend(MuxStream stream, int length) => _options.Version == 1 || length <= stream.PeerWindow;

    /// <summary>Bytes that the peer's window allows.</summary>
    private int SendRoom(MuxStream stream)
    {
        if (_options.Version == 1)
            return int.MaxValue;
        int inFlight = (int)((uint)stream.BytesSent - stream.PeerConsumed);
        // A peer that claims to have read more than was sent gets nothing more until it says something sensible.
        return inFlight < 0 ? 0 : (int)Math.Clamp((long)stream.PeerWindow - inFlight, 0, int.MaxValue);
    }

    private void MakeReady(MuxStream stream)
    {
        if (stream.IsReady || !CanSend(stream))
            return;
        stream.IsReady = true;
        _ready.Enqueue(stream);
    }

    private void RaiseReadable(MuxStream stream)
    {
        if (stream.ReadableRaised)
            return;
        stream.ReadableRaised = true;
        Raise(MuxEventKind.Readable, stream);
    }

    private void Raise(MuxEventKind kind, MuxStream stream) => _events.Enqueue(new MuxEvent(kind, stream));

    private readonly record struct ControlFrame(MuxCommand Command, uint StreamId, uint Consumed = 0, uint Window = 0);
}
