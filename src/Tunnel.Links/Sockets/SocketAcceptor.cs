using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Tunnel.Links.Native;
using static Tunnel.Links.Native.Linux;

namespace Tunnel.Links.Sockets;

/// <summary>
/// Takes connections off a listening socket. What they inherit from it (TCP_NODELAY, keepalive) need not be set on each. One caller at a time.
/// </summary>
public sealed class SocketAcceptor : IReactorTarget, IReactorWork, IDisposable
{
    /// <summary>Connections in a row, after which others of the reactor have their turn.</summary>
    private const int MostInARow = 32;

    private readonly Socket _listening;
    private readonly int _descriptor;
    private readonly Reactor _reactor;
    private readonly Func<Reactor> _next;
    private readonly Lock _lock = new();
    private readonly EdgeSignal _ready = new();
    private readonly int _place;
    private int _inARow;
    private bool _closed;

    /// <param name="listening">It listens. Owned from now on.</param>
    /// <param name="reactor">Waits for connections.</param>
    /// <param name="next">Whose the next connection is.</param>
    /// <exception cref="SocketException">The kernel cannot watch it.</exception>
    public SocketAcceptor(Socket listening, Reactor reactor, Func<Reactor> next)
    {
        (_listening, _reactor, _next) = (listening, reactor, next);
        listening.Blocking = false;
        _descriptor = (int)listening.SafeHandle.DangerousGetHandle();
        _place = reactor.Register(_descriptor, this, room: false);
        if (_place < 0)
            throw SocketErrors.Last();
    }

    /// <summary>Waits for the next connection, without allocation; to be awaited once.</summary>
    /// <exception cref="SocketException">This one failed; the next may not. <see cref="SocketError.OperationAborted"/>: it is closed.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<TcpSocket> AcceptAsync(CancellationToken cancel)
    {
        while (true)
        {
            int edges = _ready.Edges;
            if (++_inARow > MostInARow)
                _reactor.Post(this);
            else if (TryAccept() is { } socket)
                return socket;
            _inARow = 0;
            await _ready.WaitAsync(edges, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Lets so many connections wait from now on; nothing once it is closed.</summary>
    public void ListenAgain(int backlog)
    {
        lock (_lock)
        {
            if (!_closed)
                _listening.Listen(backlog);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_closed)
                return;
            _closed = true;
        }

        _reactor.Release(_place);
        _listening.Dispose();
        _ready.Signal();
    }

    void IReactorTarget.OnEvents(uint events) => _ready.Signal();

    void IReactorTarget.End()
    {
        // One that cannot be told of a connection can be of the next: it goes on.
    }

    void IReactorWork.Run() => _ready.Signal();

    /// <summary>Null when none waits.</summary>
    private unsafe TcpSocket? TryAccept()
    {
        // Closing waits, lest the number be somebody else's by now.
        lock (_lock)
        {
            if (_closed)
                throw new SocketException((int)SocketError.OperationAborted);
            int descriptor = Libc.Accept(_descriptor, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (descriptor >= 0)
                return TcpSocket.Adopt(descriptor, _next());
            int error = Libc.LastError;
            return error is EAGAIN or EINTR ? null : throw SocketErrors.Exception(error);
        }
    }
}
