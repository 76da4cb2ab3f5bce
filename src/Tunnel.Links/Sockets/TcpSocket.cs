using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Tunnel.Links.Native;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.Sockets;

/// <summary>
/// A connection of the kernel's TCP that never blocks: whoever uses it tries, and is told by its reactor when trying again makes sense.
/// Any thread may use it, one reader and one writer at a time, while another closes it.
/// </summary>
/// <remarks>
/// Not the platform's Socket: its waits are a task, a thread's hop and a system call for each read, which was half of what a short message
/// cost.
/// </remarks>
public sealed unsafe class TcpSocket : IReactorTarget, IDisposable
{
    private const int Closed = int.MinValue;

    // struct linger: on or off, then seconds, an int each.
    private const ulong LingerOff = 0;
    private const ulong LingerOnFor0 = 1;

    private readonly Reactor _reactor;
    private ISocketObserver? _observer;

    // All that the reactor has told so far. Its thread alone writes it.
    private volatile uint _told;
    private bool _watchesRoom;
    private volatile bool _resetsOnDeath;
    private volatile bool _isBroken;
    private bool _isPrompt;
    private bool _hasSent;
    private int _descriptor;
    private readonly int _place;

    // Calls under way, and whether it is closed: the last one out closes the descriptor, which nobody then uses by mistake.
    private int _uses;

    private TcpSocket(int descriptor, Reactor reactor, bool connected, bool isPrompt)
    {
        _descriptor = descriptor;
        _reactor = reactor;
        // A socket that connects has room when it has done so.
        _watchesRoom = !connected;
        _isPrompt = isPrompt;
        _place = reactor.Register(descriptor, this, _watchesRoom);
        if (_place >= 0)
            return;
        SocketException refused = SocketErrors.Last();
        _ = Libc.Close(descriptor);
        throw refused;
    }

    /// <summary>Takes over a connected descriptor that does not block and has TCP_NODELAY.</summary>
    /// <exception cref="SocketException">The kernel cannot watch it; it is closed.</exception>
    internal static TcpSocket Adopt(int descriptor, Reactor reactor) => new(descriptor, reactor, connected: true, isPrompt: true);

    /// <summary>
    /// Begins to connect; <paramref name="connected"/> when that has succeeded at once, as it does within a host. Else the observer is told
    /// when <see cref="Outcome"/> and <see cref="IsConnected"/> know.
    /// </summary>
    /// <exception cref="SocketException">It failed at once.</exception>
    public static TcpSocket Connect(IPAddress address, int port, Reactor reactor, out bool connected)
    {
        Span<byte> bytes = stackalloc byte[SocketAddressBytes.V6Length];
        int length = SocketAddressBytes.Write(address, port, bytes);
        int descriptor = Libc.Socket(SocketAddressBytes.Family(bytes), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (descriptor < 0)
            throw SocketErrors.Last();
        int result;
        fixed (byte* name = bytes)
            result = Libc.Connect(descriptor, name, (uint)length);
        if (result == 0 || Libc.LastError == EINPROGRESS)
        {
            connected = HasPeer(descriptor);
            return new TcpSocket(descriptor, reactor, connected, isPrompt: false);
        }

        SocketException failed = SocketErrors.Last();
        _ = Libc.Close(descriptor);
        throw failed;
    }

    /// <summary>The thread that tells of it.</summary>
    public Reactor Reactor => _reactor;

    /// <summary>Who is told. What came before is not told again: look at <see cref="HasNews"/>, or try first, or <see cref="Observe"/>.</summary>
    public ISocketObserver? Observer
    {
        get => Volatile.Read(ref _observer);
        set => Interlocked.Exchange(ref _observer, value);
    }

    /// <summary>Tells <paramref name="observer"/> from now on, and at once, on this thread, if there was something before.</summary>
    public void Observe(ISocketObserver observer)
    {
        Observer = observer;
        // Exchanged before this is read: either this sees the news, or the reactor's thread sees the observer, or both.
        if (HasNews)
            observer.OnReady();
    }

    /// <summary>
    /// The other end has said all, or the connection broke. The kernel tells that once: behind what can be read there is an end to be read.
    /// </summary>
    public bool HasEnded => HasTold(EPOLLRDHUP | EPOLLHUP | EPOLLERR);

    /// <summary>
    /// The connection is no more: it broke, or both ends have closed in order. Asks the kernel only when it has told of something like that, which
    /// it does by itself.
    /// </summary>
    public bool IsGone => HasTold(EPOLLHUP | EPOLLERR) && !IsConnected;

    /// <summary>The connection broke. What came before that can still be read.</summary>
    public bool HasFailed => HasTold(EPOLLERR);

    /// <summary>The reactor has told of something since this is watched: there may be something to read. False: there is nothing yet.</summary>
    public bool HasNews => _told != 0;

    /// <summary>A read that got less than it asked for may not have got all: the end is behind it, or the mark of urgent data stopped it.</summary>
    public bool MayHideMore => HasTold(EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI);

    /// <summary>Closed at this end.</summary>
    internal bool IsClosed => Volatile.Read(ref _uses) < 0;

    /// <summary>This end's address; null once closed.</summary>
    public IPEndPoint? LocalEndPoint => Name(local: true);

    /// <summary>The other end's address; null once closed or broken.</summary>
    public IPEndPoint? RemoteEndPoint => Name(local: false);

    public bool IsConnected
    {
        get
        {
            if (!TryEnter())
                return false;
            bool connected = HasPeer(_descriptor);
            Exit();
            return connected;
        }
    }

    /// <summary>The other end has said all and all of that has been read, or the connection broke or was closed here.</summary>
    public bool IsOver
    {
        get
        {
            if (!TryEnter())
                return true;
            byte next;
            nint count = Libc.Receive(_descriptor, &next, 1, MSG_PEEK);
            bool over = count == 0 || (count < 0 && SocketErrors.Of(Libc.LastError) != SocketError.WouldBlock);
            Exit();
            return over;
        }
    }

    /// <summary>What went wrong since it was last asked.</summary>
    public SocketError Outcome
    {
        get
        {
            int? error = GetOption(SOL_SOCKET, SO_ERROR);
            return error is null ? SocketError.OperationAborted : error == 0 ? SocketError.Success : SocketErrors.Of(error.Value);
        }
    }

    /// <summary>Takes what is there: the number of bytes, 0 at the end, -1 for nothing now.</summary>
    /// <exception cref="SocketException">The connection broke, or was closed at this end.</exception>
    public int Receive(Span<byte> destination)
    {
        int count = Receive(destination, out SocketError error);
        return error is SocketError.Success ? count : error is SocketError.WouldBlock ? -1 : throw new SocketException((int)error);
    }

    /// <summary>Passes on as much as there is room for: the number of bytes, which may be 0.</summary>
    /// <exception cref="SocketException">The connection broke, or was closed at this end.</exception>
    public int Send(ReadOnlySpan<byte> source)
    {
        int count = Send(source, out SocketError error);
        return error is SocketError.Success or SocketError.WouldBlock ? count : throw new SocketException((int)error);
    }

    /// <summary>As <see cref="Receive(Span{byte})"/>, for who expects connections to break: 0 with an error, WouldBlock for nothing now.</summary>
    [SkipLocalsInit]
    public int Receive(Span<byte> destination, out SocketError error)
    {
        error = SocketError.OperationAborted;
        if (!TryEnter())
            return 0;
        nint count;
        fixed (byte* data = destination)
            count = Libc.Receive(_descriptor, data, (nuint)destination.Length, 0);
        error = count < 0 ? SocketErrors.Of(Libc.LastError) : SocketError.Success;
        Exit();
        return (int)Math.Max(0, count);
    }

    /// <summary>As <see cref="Send(ReadOnlySpan{byte})"/>, for who expects connections to break: 0 with an error, WouldBlock for no room now.</summary>
    [SkipLocalsInit]
    public int Send(ReadOnlySpan<byte> source, out SocketError error)
    {
        error = SocketError.OperationAborted;
        if (!TryEnter())
            return 0;
        if (!_isPrompt)
            BePrompt();
        nint count;
        fixed (byte* data = source)
            count = Libc.Send(_descriptor, data, (nuint)source.Length, MSG_NOSIGNAL);
        error = count < 0 ? SocketErrors.Of(Libc.LastError) : SocketError.Success;
        if (count < source.Length && !_watchesRoom && error is SocketError.Success or SocketError.WouldBlock)
            WatchRoom(ref error);
        Exit();
        return (int)Math.Max(0, count);
    }

    /// <summary>
    /// From now on the other end sees a reset if this process dies, as a kernel that cleans up closes in order and half of something would
    /// pass for the whole. Closing at this end, or saying the end, is as orderly as before, for one system call more.
    /// </summary>
    public void ResetOnDeath()
    {
        if (_resetsOnDeath || !TryEnter())
            return;
        _resetsOnDeath = SetLinger(_descriptor, LingerOnFor0);
        Exit();
    }

    /// <summary>Says that nothing more will be sent.</summary>
    public void ShutdownSend()
    {
        if (!TryEnter())
            return;
        EndInOrder(_descriptor);
        _ = Libc.Shutdown(_descriptor, SHUT_WR);
        Exit();
    }

    /// <summary>Closes so that the other end sees a reset, not an orderly end. Idempotent.</summary>
    public void Reset()
    {
        if (TryEnter())
        {
            _isBroken = true;
            _ = SetLinger(_descriptor, LingerOnFor0);
            Exit();
        }

        Dispose();
    }

    /// <summary>Closes; what was sent still gets there. Idempotent.</summary>
    public void Dispose()
    {
        if ((Interlocked.Or(ref _uses, Closed) & int.MaxValue) == 0)
            CloseDescriptor();
    }

    /// <summary>An option whose value is an int; null once closed.</summary>
    internal int? GetOption(int level, int name)
    {
        if (!TryEnter())
            return null;
        int value = 0;
        uint length = sizeof(int);
        _ = Libc.GetSocketOption(_descriptor, level, name, &value, &length);
        Exit();
        return value;
    }

    void IReactorTarget.OnEvents(uint events)
    {
        _told |= events;
        // Whoever begins to observe looks at these after that: one of the two sees the other.
        Interlocked.MemoryBarrier();
        Observer?.OnReady();
    }

    void IReactorTarget.End()
    {
        ISocketObserver? observer = Observer;
        Reset();
        // Whoever waits for it tries again, and finds it closed.
        observer?.OnReady();
    }

    /// <summary>
    /// Sees to it that short messages leave at once. The first does anyway, as nothing is under way that Nagle's algorithm (RFC 9293, section
    /// 3.7.4) would wait for; many connections say no more than that, and are spared the system call.
    /// </summary>
    private void BePrompt()
    {
        if (_hasSent)
        {
            _ = Libc.TrySetOption(_descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
            _isPrompt = true;
        }

        _hasSent = true;
    }

    /// <summary>It is full for the first time: the reactor is to tell when it is not, which may be now.</summary>
    private void WatchRoom(ref SocketError error)
    {
        _watchesRoom = _reactor.TryWatchRoom(_place, _descriptor);
        // Nobody would ever try again.
        if (!_watchesRoom)
            error = SocketErrors.Of(Libc.LastError);
    }

    private static bool HasPeer(int descriptor)
    {
        byte* name = stackalloc byte[SocketAddressBytes.V6Length];
        uint length = SocketAddressBytes.V6Length;
        return Libc.GetPeerName(descriptor, name, &length) == 0;
    }

    private IPEndPoint? Name(bool local)
    {
        if (!TryEnter())
            return null;
        byte* name = stackalloc byte[SocketAddressBytes.V6Length];
        uint length = SocketAddressBytes.V6Length;
        int result = local ? Libc.GetSocketName(_descriptor, name, &length) : Libc.GetPeerName(_descriptor, name, &length);
        Exit();
        var address = new ReadOnlySpan<byte>(name, (int)length);
        return result == 0 ? new IPEndPoint(SocketAddressBytes.ScopedAddress(address), SocketAddressBytes.Port(address)) : null;
    }

    private bool HasTold(uint any) => (_told & any) != 0;

    private bool TryEnter()
    {
        if (Interlocked.Increment(ref _uses) > 0)
            return true;
        Exit();
        return false;
    }

    private void Exit()
    {
        if (Interlocked.Decrement(ref _uses) == Closed)
            CloseDescriptor();
    }

    private void CloseDescriptor()
    {
        int descriptor = Interlocked.Exchange(ref _descriptor, -1);
        if (descriptor < 0)
            return;
        EndInOrder(descriptor);
        _reactor.Release(_place);
        _ = Libc.Close(descriptor);
        Observer = null;
    }

    private void EndInOrder(int descriptor)
    {
        // One that is to be reset stays so, whatever another thread has begun to do with it.
        if (!_resetsOnDeath || _isBroken)
            return;
        _resetsOnDeath = false;
        _ = SetLinger(descriptor, LingerOff);
        if (_isBroken)
            _ = SetLinger(descriptor, LingerOnFor0);
    }

    private static bool SetLinger(int descriptor, ulong linger) =>
        Libc.SetSocketOption(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof(ulong)) == 0;
}

/// <summary>Who wants to know when trying again makes sense. Called on the reactor's thread, within its turn.</summary>
public interface ISocketObserver
{
    void OnReady();
}
