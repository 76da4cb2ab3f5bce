using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>
/// A stream of a session for asynchronous code: one reader and one writer at a time. Reads are in order and whole; a write ends when
/// its last byte is on its way, so that a slow reader at the far end slows the writer here. Thread-safe between reader, writer and
/// whoever closes.
/// </summary>
public sealed class TunnelStream
{
    private readonly PeerSession _session;
    private readonly MuxStream _stream;

    // Made when somebody awaits: whoever observes needs neither.
    private StreamSignal? _readable;
    private StreamSignal? _written;
    private IStreamObserver? _observer;
    private bool _isTold;

    internal TunnelStream(PeerSession session, MuxStream stream)
    {
        _session = session;
        _stream = stream;
        stream.Tag = this;
    }

    public uint Id => _stream.Id;

    public PeerSession Session => _session;

    /// <summary>This end opened it.</summary>
    public bool IsOwn { get; init; }

    public Instant OpenedAt { get; } = MonotonicClock.Now;

    /// <summary>Since it was opened.</summary>
    public TimeSpan Age => MonotonicClock.Now - OpenedAt;

    /// <summary>What it was opened for; null while that is not known, and for a word between the two ends.</summary>
    public StreamUse? Use { get; set; }

    public long BytesSent => _stream.BytesSent;

    public long BytesReceived => _stream.BytesReceived;

    /// <summary>Datagrams that did not make it through this end of the stream; see <see cref="MuxStream.DatagramsDropped"/>.</summary>
    public long DatagramsDropped => _stream.DatagramsDropped;

    /// <summary>Neither end has closed it both ways, nor has its session ended.</summary>
    public bool IsOpen => !_stream.IsClosed && !_session.IsClosed;

    /// <summary>Closed both ways, at this end or with its session.</summary>
    public bool IsClosed => _stream.IsClosed;

    /// <summary>All has been read, and nothing more will come.</summary>
    public bool EndOfStream => _stream.EndOfStream;

    /// <summary>The peer will write no more.</summary>
    public bool PeerFinished => _stream.PeerFinished;

    /// <summary>The peer broke it off: what had come and was not read is dropped.</summary>
    public bool IsReset => _stream.IsReset;

    /// <summary>It has been set up and leads to its target: tells whoever listens, and will tell of its end.</summary>
    public void TellSetUp() => _isTold = TunnelEvents.Log.StreamOpened(this);

    /// <summary>
    /// Who is told from now on, instead of whoever awaits: a relay, which has no task for each direction. What came before is not told
    /// again: try first.
    /// </summary>
    public void Observe(IStreamObserver observer) => Volatile.Write(ref _observer, observer);

    /// <summary>Waits until something can be read, or the end has come.</summary>
    public async ValueTask WaitReadableAsync()
    {
        while (_session.Streams.TryWaitReadable(_stream, Readable))
            await Readable.Wait().ConfigureAwait(false);
    }

    /// <summary>
    /// Waits until something may have come, without allocation: news may be of what has been read by now. To be awaited before anything else
    /// is asked of the stream.
    /// </summary>
    public ValueTask WaitForNewsAsync() => _session.Streams.TryWaitReadable(_stream, Readable) ? Readable.Wait() : ValueTask.CompletedTask;

    /// <summary>Takes what is there: the number of bytes, 0 at the end, -1 for nothing yet.</summary>
    /// <exception cref="TunnelClosedException">The session ended before the stream did.</exception>
    /// <exception cref="StreamResetException">The peer broke the stream off.</exception>
    public int TryRead(Span<byte> destination) => _session.Streams.Read(_stream, destination);

    /// <summary>As <see cref="TryRead(Span{byte})"/>, for who expects streams to break: 0 with <paramref name="broken"/> then.</summary>
    public int TryRead(Span<byte> destination, out bool broken) => _session.Streams.Read(_stream, destination, out broken);

    /// <summary>Reads at least one byte; 0 at the end.</summary>
    /// <exception cref="TunnelClosedException">The session ended before the stream did.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> destination)
    {
        while (true)
        {
            int count = TryRead(destination.Span);
            if (count >= 0)
                return count;
            await WaitForNewsAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Sends all of <paramref name="data"/>, which must not change until the task ends: before the next write, and before somebody observes.
    /// </summary>
    /// <exception cref="TunnelClosedException">The session ended.</exception>
    /// <exception cref="IOException">The stream was closed at this end.</exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> data)
    {
        if (data.IsEmpty)
            return ValueTask.CompletedTask;
        Written.Arm();
        return _session.Streams.TryWrite(_stream, data)
            ? Written.Wait()
            : FailAsync();

        async ValueTask FailAsync()
        {
            await Written.DisarmAsync().ConfigureAwait(false);
            throw WhyClosed();
        }
    }

    /// <summary>
    /// Begins to send all of <paramref name="data"/>, which must not change until <see cref="IStreamObserver.OnWritten"/>. That may come
    /// before this ends. False when the stream takes no more.
    /// </summary>
    public bool TryBeginWrite(ReadOnlyMemory<byte> data) => _session.Streams.TryWrite(_stream, data);

    private StreamSignal Readable => _readable ??= new StreamSignal();

    private StreamSignal Written => _written ??= new WriteSignal(this);

    /// <summary>Why nothing can be written; null when it can.</summary>
    internal IOException? Problem() => _stream.IsReset ? new StreamResetException()
        : _session.IsClosed ? new TunnelClosedException(_session.CloseReason)
        : _stream.IsClosed ? new IOException("the stream is closed")
        : null;

    /// <summary>The same for who has just been told that nothing can be: this end may have said that it writes no more.</summary>
    internal IOException WhyClosed() => Problem() ?? new IOException("the stream is closed");

    /// <summary>
    /// Sends a datagram as one frame, when the peer's window has room for it; false when it never will have. The data must not change
    /// until the task ends.
    /// </summary>
    /// <exception cref="TunnelClosedException">The session ended.</exception>
    /// <exception cref="IOException">The stream was closed at this end.</exception>
    public async ValueTask<bool> WriteFrameAsync(ReadOnlyMemory<byte> data)
    {
        Written.Arm();
        DatagramWrite result = _session.Streams.TryWriteDatagram(_stream, data);
        if (result == DatagramWrite.Taken)
        {
            await Written.Wait().ConfigureAwait(false);
            return true;
        }

        await Written.DisarmAsync().ConfigureAwait(false);
        if (result == DatagramWrite.Closed)
            throw WhyClosed();
        return Problem() is { } problem ? throw problem : false;
    }

    /// <summary>What is read from now on is frames; false when it is too late for that.</summary>
    public bool ReadFrames() => _session.Streams.ReadFrames(_stream);

    /// <summary>What is read from now on is bytes: a stream that the peer opened may forget where frames end.</summary>
    public void ReadBytes() => _session.Streams.ReadBytes(_stream);

    /// <summary>Takes a frame if there is one: its length, 0 at the end, -1 for nothing yet.</summary>
    /// <param name="destination">Room for <see cref="MuxFrame.MaximumData"/>.</param>
    /// <exception cref="TunnelClosedException">The session ended before the stream did.</exception>
    public int TryReadFrame(Span<byte> destination) => _session.Streams.ReadFrame(_stream, destination);

    /// <summary>Says that nothing more will be written; reading goes on.</summary>
    public void CloseWrite() => _session.Streams.CloseWrite(_stream);

    /// <summary>Says that nothing more will be written, and that nobody reads: the stream is closed when the peer ends it.</summary>
    public void Release() => _session.Streams.Release(_stream);

    /// <summary>Closes both ways at once; whoever reads or writes is told. Idempotent.</summary>
    public void Close()
    {
        if (_isTold && Interlocked.Exchange(ref _isTold, false))
            TunnelEvents.Log.StreamClosed(this);
        _session.Streams.Close(_stream);
        OnEvent(MuxEventKind.Readable);
        OnEvent(MuxEventKind.Written);
    }

    /// <summary>A picture of the stream now. Within a turn, or when a little blur does not matter.</summary>
    internal StreamStatus GetStatus() => new(Id, IsOwn, Use, BytesSent, BytesReceived, Age);

    internal void OnEvent(MuxEventKind kind)
    {
        IStreamObserver? observer = Volatile.Read(ref _observer);
        if (kind == MuxEventKind.Readable)
        {
            _readable?.Signal();
            observer?.OnReadable();
        }
        else if (kind == MuxEventKind.Written)
        {
            _written?.Signal();
            observer?.OnWritten();
        }
    }

    /// <summary>A write that ended because the stream did has not been sent.</summary>
    private sealed class WriteSignal(TunnelStream stream) : StreamSignal
    {
        protected override void OnWaited()
        {
            if (stream.Problem() is { } problem)
                throw problem;
        }
    }
}

/// <summary>Who wants to know what happens to a stream. Called on whatever thread it happens on, not under its session's lock.</summary>
public interface IStreamObserver
{
    /// <summary>Something can be read, or the end has come.</summary>
    void OnReadable();

    /// <summary>All that was written last is on its way, or will never be.</summary>
    void OnWritten();
}

/// <summary>What a stream was opened for.</summary>
public sealed record StreamUse(StreamRequest Request, Target Target);

/// <summary>A stream as an operator wants to see it.</summary>
/// <param name="Id">Its number within the session.</param>
/// <param name="IsOwn">This end opened it.</param>
/// <param name="Use">Null while that is not known, and for a word between the two ends.</param>
/// <param name="BytesSent">Into the tunnel.</param>
/// <param name="BytesReceived">Out of the tunnel.</param>
/// <param name="Age">Since it was opened.</param>
public sealed record StreamStatus(uint Id, bool IsOwn, StreamUse? Use, long BytesSent, long BytesReceived, TimeSpan Age);
