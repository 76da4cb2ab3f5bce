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

    /// <summary>What a stream takes besides its data, at this end and above: an estimate, in bytes.</summary>
    private const int StreamCost = 2048;

    /// <summary>What waits for a peer that goes on talking, over one thing a stream.</summary>
    private const int MaximumWaiting = 65_536;

    /// <summary>Milliseconds in which an end that was held up reads what came meanwhile.</summary>
    private const int TimeToRead = 1000;

    private readonly IStreamAdmission? _admission;
    private readonly StreamTable _streams;
    private readonly StreamReceiver _receiver;
    private readonly StreamSender _sender;
    private readonly WindowGrants _grants;
    private readonly ControlFrames _control = new();
    private readonly Queue<MuxEvent> _events = new();
    private readonly BlockPool _pool = new();
    private readonly int _version;
    private IncomingFrame _incoming;
    private long _now;
    private SignsOfLife _life;

    /// <param name="options">Valid knobs.</param>
    /// <param name="isClient">Clients open odd streams from 3, servers even ones from 2.</param>
    /// <param name="now">Milliseconds.</param>
    /// <param name="admission">A cap over all sessions, if there is one.</param>
    /// <param name="phase">Differs from session to session: when the first sign of life goes out.</param>
    public MuxSession(MuxOptions options, bool isClient, long now, IStreamAdmission? admission = null, uint phase = 0)
    {
        _admission = admission;
        _version = options.Version;
        _streams = new StreamTable(options.MaxStreams, isClient, admission, _pool);
        _grants = new WindowGrants(options, admission, _streams, _control);
        _receiver = new StreamReceiver(options, admission, _grants, _events);
        _sender = new StreamSender(_version, _events);
        _incoming = new IncomingFrame(_version);
        _now = now;
        _life = new SignsOfLife(options, asks: isClient, phase, now);
    }

    public int StreamCount => _streams.Count;

    /// <summary>As many streams are open as may be.</summary>
    public bool IsFull => _streams.IsFull;

    /// <summary>All numbers for streams of this end are used up: it opens no more.</summary>
    public bool IsSpent => _streams.IsSpent;

    public IReadOnlyCollection<MuxStream> Streams => _streams.All;

    /// <summary>Some stream's ends have not both said their last word.</summary>
    public bool HasUnfinished => _streams.All.Any(s => !s.IsFinished);

    /// <summary>Bytes that wait for readers.</summary>
    public long Buffered => _receiver.Unread;

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
    public long StreamsRefused => _streams.Refused;

    /// <summary>What happened so far.</summary>
    public MuxCounters Counters => _streams.Counters with
    {
        BytesSent = _sender.BytesSent,
        BytesReceived = _receiver.BytesReceived,
    };

    public bool HasOutput => !IsClosed && (_control.Count != 0 || _sender.HasOutput);

    /// <summary>When <see cref="Advance"/> is wanted, in milliseconds.</summary>
    public long Deadline => IsClosed ? long.MaxValue : Math.Min(_life.NextAt, _life.DeadAt);

    /// <summary>A peer that opens and opens, and reads and reads, without ever taking an answer would make the queues grow for ever.</summary>
    private bool TakesNothing => _control.Count + _sender.ReadyCount >= MaximumWaiting + _streams.Count;

    public bool TryTakeEvent(out MuxEvent e) => _events.TryDequeue(out e);

    /// <summary>Lets what is due happen; true once an interval, when memory that nobody needed meanwhile is given back.</summary>
    public bool Advance(long now)
    {
        _now = now;
        if (IsClosed)
            return false;
        // While this end does not read, silence is its own doing.
        if (_receiver.IsFull)
            _life.Hear(now);
        if (now >= _life.DeadAt)
        {
            Close(CloseReason.KeepAliveTimeout);
            return false;
        }

        if (!_life.TryTakeTurn(now, out bool isSilent))
            return false;
        // This end that does not read cannot be heard to acknowledge, and its peer waits with nothing on its way.
        if (isSilent || _receiver.IsFull)
            _control.AddSignOfLife();
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
        if (!IsClosed && _control.IsQuiet)
            _control.AddSignOfLife();
    }

    /// <summary>Opens a stream; null when the session is closed, a cap is reached, or the numbers are used up.</summary>
    public MuxStream? Open()
    {
        if (IsClosed || IsSpent)
            return null;
        // A peer that takes nothing: streams opened and given up meanwhile must not pile up here.
        if (_control.IsCrowded || _streams.TryOpen() is not { } stream)
            return null;
        _control.AddOpening(stream.Id);
        _grants.OnOpened(stream);
        return stream;
    }

    /// <summary>
    /// Hands over memory to send. It is read as the peer takes it, until <see cref="MuxEventKind.Written"/>; it must stay unchanged
    /// till then. One write at a time. False when the stream takes no more.
    /// </summary>
    public bool TryWrite(MuxStream stream, ReadOnlyMemory<byte> data) => _sender.TryWrite(stream, data);

    /// <summary>
    /// As <see cref="TryWrite"/>, but the data goes out as one frame, over as many segments as it takes, once the peer's window has
    /// room for all of it. When that window becomes smaller than the datagram, it is dropped, and counted by the stream.
    /// </summary>
    public DatagramWrite TryWriteDatagram(MuxStream stream, ReadOnlyMemory<byte> data) => _sender.TryWriteDatagram(stream, data);

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
    public int ReadFrame(MuxStream stream, Span<byte> destination) => _receiver.ReadFrame(stream, destination);

    /// <summary>Takes what was received, in order; 0 when there is nothing (yet): see <see cref="MuxStream.EndOfStream"/>.</summary>
    public int Read(MuxStream stream, Span<byte> destination) => _receiver.Read(stream, destination);

    /// <summary>Tells the peer that this end writes no more, once the pending write is sent.</summary>
    public void CloseWrite(MuxStream stream) => _sender.CloseWrite(stream);

    /// <summary>
    /// As <see cref="CloseWrite"/>, for who reads no more either but has the peer read to the end: the stream is closed when the peer has ended it, too.
    /// </summary>
    public void Release(MuxStream stream)
    {
        CloseWrite(stream);
        stream.IsReleased = true;
        if (stream.PeerFinished)
            Close(stream);
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
        _streams.Remove(stream, orderly ? StreamEnding.Finished : StreamEnding.Closed);
        Discard(stream);
        if (tellPeer && !IsClosed)
            _control.AddEnding(ending, stream.Id);
    }

    /// <summary>Ends the session and every stream; nothing is sent any more.</summary>
    public void Close(CloseReason reason)
    {
        if (IsClosed)
            return;
        CloseReason = reason;
        foreach (MuxStream stream in _streams.All)
        {
            // What has come of one that ended both ways is all there is.
            if (stream.IsFinished)
                continue;
            stream.IsClosed = true;
            stream.PendingWrite = default;
            TellBoth(stream);
        }

        _streams.RemoveAll();
        _sender.Clear();
        _control.Clear();
    }

    /// <inheritdoc/>
    public bool TryDeliver(ReadOnlySpan<byte> data)
    {
        if (_receiver.MustWait())
            return false;
        while (!data.IsEmpty && !IsClosed)
        {
            if (_incoming.DataLeft != 0)
                TakeData(_incoming.TakeData(ref data));
            else if (_incoming.TryTakeHeader(ref data))
                TakeFrame(_incoming.Frame);
        }

        return true;
    }

    /// <summary>Says what time it is for what the next deliveries mean to keepalive; milliseconds.</summary>
    public void SetTime(long now) => _now = now;

    /// <inheritdoc/>
    public int Fill(Span<byte> destination)
    {
        var writer = new FrameWriter(destination, _version);
        if (_sender.TryWriteUnfinished(ref writer) && _control.TryWriteAll(ref writer))
            _sender.WriteReady(ref writer);
        return writer.Written;
    }

    private void TakeFrame(in MuxFrame frame)
    {
        if (!_incoming.IsAllowed || TakesNothing)
        {
            Close(CloseReason.ProtocolError);
            return;
        }

        if (!_incoming.IsWhole)
            return;
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
                _receiver.BeginFrame(_streams.Find(frame.StreamId), frame.Length);
                break;
            case MuxCommand.WindowUpdate:
                OnWindowUpdate(frame.StreamId);
                break;
            case MuxCommand.Reset:
                OnReset(frame.StreamId);
                break;
            case MuxCommand.KeepAlive:
                break;
        }
    }

    private void TakeData(ReadOnlySpan<byte> data)
    {
        if (!_receiver.TryTake(data))
        {
            Close(CloseReason.WindowExceeded);
            _admission?.OnBound(BufferBound.Exceeded);
        }

        if (_incoming.DataLeft == 0)
            _receiver.EndFrame();
    }

    private void OnOpen(uint id)
    {
        if (_streams.Find(id) is not null)
            return;
        // A number of our own half could be the next one that Open takes.
        if (_streams.IsOwn(id))
        {
            Close(CloseReason.ProtocolError);
            return;
        }

        if (_streams.TryAccept(id) is not { } stream)
        {
            _control.AddEnding(MuxCommand.Finish, id);
            return;
        }

        // Whether its frames are datagrams, the header will say; they may be there before it has been read.
        stream.Frames = new FrameLengths();
        _grants.OnOpened(stream);
        _events.Enqueue(new MuxEvent(MuxEventKind.Opened, stream));
    }

    private void OnFinish(uint id)
    {
        if (_streams.Find(id) is not { PeerFinished: false } stream)
            return;
        _receiver.Finish(stream);
        if (stream.IsReleased)
            Close(stream);
    }

    private void OnReset(uint id)
    {
        // After both ends it changes nothing; somebody here may still read.
        if (_streams.Find(id) is not { IsFinished: false } stream)
            return;
        _streams.Remove(stream, StreamEnding.Reset);
        Discard(stream);
        stream.IsReset = true;
        TellBoth(stream);
    }

    private void OnWindowUpdate(uint id)
    {
        if (_streams.Find(id) is { } stream)
            _sender.OnPeerWindow(stream, _incoming.Consumed, _incoming.Window);
    }

    private void Discard(MuxStream stream)
    {
        stream.IsClosed = true;
        _sender.Discard(stream);
        _receiver.Discard(stream);
    }

    /// <summary>Whoever reads or writes finds out now that the stream is gone.</summary>
    private void TellBoth(MuxStream stream)
    {
        _events.Enqueue(new MuxEvent(MuxEventKind.Readable, stream));
        _events.Enqueue(new MuxEvent(MuxEventKind.Written, stream));
    }
}
