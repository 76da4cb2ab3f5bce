using System.Buffers;
using System.Net.Sockets;
using Tunnel.App.Runtime;
using Tunnel.Links.Sockets;

namespace Tunnel.App.Services;

/// <summary>
/// From a socket into a stream: what can be read is written, and the next is read when that is on its way. Between messages it holds no
/// buffer.
/// </summary>
internal sealed class OutwardPump : TurnTaker, IReactorWork
{
    private const int BufferLength = 64 * 1024;

    /// <summary>What is shorter is copied, lest each of a thousand short messages that wait hold a long buffer.</summary>
    private const int LongEnough = 8 * 1024;

    [ThreadStatic]
    private static byte[]? _spare;

    [ThreadStatic]
    private static bool _hasOwn;

    private readonly TcpSocket _socket;
    private readonly TunnelStream _stream;
    private readonly IPumpOwner _owner;
    private byte[]? _buffer;
    private int _edges;
    private int _drained;
    private bool _ended;
    private volatile bool _writing;
    private long _sentAt = Environment.TickCount64;

    /// <param name="socket">What is read.</param>
    /// <param name="stream">What is written.</param>
    /// <param name="owner">Told when the socket has said all and all of it is on its way, or when either broke.</param>
    public OutwardPump(TcpSocket socket, TunnelStream stream, IPumpOwner owner) => (_socket, _stream, _owner) = (socket, stream, owner);

    /// <summary>A write waits for the peer.</summary>
    public bool IsWriting => _writing;

    /// <summary>When something was last read from the socket, in milliseconds of <see cref="Environment.TickCount64"/>.</summary>
    public long SentAt => Volatile.Read(ref _sentAt);

    /// <summary>Says something that did not come from the socket, before anything that does: before the socket is observed.</summary>
    /// <param name="words">Must never change.</param>
    public void Say(ReadOnlyMemory<byte> words)
    {
        _writing = true;
        if (!_stream.TryBeginWrite(words))
            Fail();
    }

    /// <summary>The socket has something to read.</summary>
    public void OnReady()
    {
        Interlocked.Increment(ref _edges);
        Ask();
    }

    /// <summary>The last write is on its way.</summary>
    public void OnWritten()
    {
        _writing = false;
        // A reactor goes on at once: its turns end, whatever is left to tell. The deadlines, which others wait for, do not.
        if (Reactor.Current is not null)
            Ask();
        else
            _socket.Reactor.Post(this);
    }

    void IReactorWork.Run() => Ask();

    protected override void Turn()
    {
        if (_writing || _ended)
            return;
        Release();
        if (!_stream.IsOpen)
            Fail();
        else if (Volatile.Read(ref _edges) is int edges && edges != _drained)
            Forward(edges);
    }

    /// <summary>Passes one buffer on.</summary>
    /// <param name="edges">Read before the socket is tried: what comes after counts again.</param>
    private void Forward(int edges)
    {
        byte[] buffer = _spare ?? Rent();
        _spare = null;
        int count = _socket.Receive(buffer, out SocketError error);
        if (count == 0)
            Spare(buffer);
        // Less than was asked for is all there was, as a rule.
        if (error == SocketError.WouldBlock || (count != 0 && count < buffer.Length && !_socket.MayHideMore))
            _drained = edges;
        if (count != 0)
            Write(buffer, count);
        else if (error == SocketError.Success)
            End();
        else if (error != SocketError.WouldBlock)
            Fail();
    }

    protected override void Break(Exception defect)
    {
        _ended = true;
        _owner.OnBroken(this, defect);
    }

    private void End()
    {
        _ended = true;
        _owner.OnEnded(this);
    }

    private void Fail()
    {
        Release();
        _ended = true;
        _owner.OnBroken(this, null);
    }

    private void Write(byte[] buffer, int count)
    {
        Volatile.Write(ref _sentAt, Environment.TickCount64);
        _buffer = buffer;
        if (count < LongEnough)
        {
            _buffer = ArrayPool<byte>.Shared.Rent(count);
            buffer.AsSpan(0, count).CopyTo(_buffer);
            Spare(buffer);
        }

        _writing = true;
        if (_stream.TryBeginWrite(_buffer.AsMemory(0, count)))
            return;
        _writing = false;
        Fail();
    }

    private void Release()
    {
        if (_buffer is { } buffer)
            Spare(buffer);
        _buffer = null;
    }

    /// <summary>A thread's first buffer stays with it, as a rule: pinned, so that the collector does not copy it.</summary>
    private static byte[] Rent()
    {
        if (_hasOwn)
            return ArrayPool<byte>.Shared.Rent(BufferLength);
        _hasOwn = true;
        return GC.AllocateUninitializedArray<byte>(BufferLength, pinned: true);
    }

    private static void Spare(byte[] buffer)
    {
        if (_spare is null && buffer.Length >= BufferLength)
            // One at hand, so that reading needs no look into the pool.
            _spare = buffer;
        else
            ArrayPool<byte>.Shared.Return(buffer);
    }
}
