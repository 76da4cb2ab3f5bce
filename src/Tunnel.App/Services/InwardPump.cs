using System.Buffers;
using System.Net.Sockets;
using Tunnel.App.Runtime;
using Tunnel.Links.Sockets;

namespace Tunnel.App.Services;

/// <summary>
/// From a stream into a socket: what came is passed on at once, on the thread that received it. It holds a buffer only for what the socket
/// has no room for.
/// </summary>
internal sealed class InwardPump(TcpSocket socket, TunnelStream stream, IPumpOwner owner) : TurnTaker
{
    private const int BufferLength = 64 * 1024;

    private const int LongEnough = 64 * 1024;

    [ThreadStatic]
    private static byte[]? _scratch;

    private byte[]? _rest;
    private int _restFrom;
    private int _restTo;
    private int _edges;
    private bool _ended;
    private long _passed;
    private long _receivedAt = Environment.TickCount64;

    /// <summary>When something was last passed on, in milliseconds of <see cref="Environment.TickCount64"/>.</summary>
    public long ReceivedAt => Volatile.Read(ref _receivedAt);

    /// <summary>The socket may have room again.</summary>
    public void OnReady()
    {
        // Either this sees the rest, or whoever is about to keep one sees the edge.
        Interlocked.Increment(ref _edges);
        if (Volatile.Read(ref _rest) is not null)
            Ask();
    }

    protected override void Turn()
    {
        if (_ended)
            return;
        while (TrySendRest() && TryDeliver())
        {
            // Until the socket is full, or nothing is left.
        }
    }

    /// <summary>
    /// False when there is still a rest: the socket tells when it has room. What a peer has broken off needs none: whoever is slow to take it
    /// would be kept for as long.
    /// </summary>
    private bool TrySendRest()
    {
        while (_rest is { } rest)
        {
            int edges = Volatile.Read(ref _edges);
            _restFrom += socket.Send(rest.AsSpan(_restFrom, _restTo - _restFrom), out SocketError error);
            if (_restFrom == _restTo)
                Release();
            else if (error is not (SocketError.Success or SocketError.WouldBlock))
                return Fail();
            else if (edges == Volatile.Read(ref _edges))
                return stream.IsReset && Fail();
        }

        return true;
    }

    /// <summary>Passes on what there is; false when there was nothing (yet), or the end.</summary>
    private bool TryDeliver()
    {
        // Reading may tell other streams on this very thread, whose pumps read, too: they must not find this buffer.
        byte[] scratch = _scratch ?? GC.AllocateUninitializedArray<byte>(BufferLength, pinned: true);
        _scratch = null;
        int count = stream.TryRead(scratch, out bool broken);
        // The end of a stream that was closed at this end is not its peer's.
        bool ended = count == 0 && !broken && stream.PeerFinished;
        bool more = count > 0 ? Deliver(scratch.AsSpan(0, count)) : ended ? End() : count == 0 && Fail();
        _scratch = scratch;
        return more;
    }

    private bool Deliver(ReadOnlySpan<byte> data)
    {
        Volatile.Write(ref _receivedAt, Environment.TickCount64);
        // Whatever is longer than a message is not to end in the middle as if that were its end. What is shorter does not pay for that.
        if (_passed < LongEnough && (_passed += data.Length) >= LongEnough)
            socket.ResetOnDeath();
        int sent = socket.Send(data, out SocketError error);
        if (error is not (SocketError.Success or SocketError.WouldBlock))
            return Fail();
        if (sent != data.Length)
            Keep(data[sent..]);
        // Less than there was room for is all there was: what comes later is told.
        return data.Length == BufferLength || _rest is not null || stream.EndOfStream;
    }

    private bool End()
    {
        _ended = true;
        owner.OnEnded(this);
        return false;
    }

    protected override void Break(Exception defect)
    {
        _ended = true;
        owner.OnBroken(this, defect);
    }

    private bool Fail()
    {
        Release();
        _ended = true;
        owner.OnBroken(this, null);
        return false;
    }

    private void Keep(ReadOnlySpan<byte> rest)
    {
        byte[] kept = ArrayPool<byte>.Shared.Rent(rest.Length);
        rest.CopyTo(kept);
        (_restFrom, _restTo) = (0, rest.Length);
        Interlocked.Exchange(ref _rest, kept);
    }

    private void Release()
    {
        if (_rest is { } rest)
            ArrayPool<byte>.Shared.Return(rest);
        _rest = null;
    }
}
