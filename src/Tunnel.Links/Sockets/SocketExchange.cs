using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Tunnel.Links.Sockets;

/// <summary>
/// A socket for code that awaits, as handshakes do: one read or write at a time, each to be awaited once. What awaits goes on, on the reactor's thread. It observes
/// the socket until somebody else does.
/// </summary>
public sealed class SocketExchange : ISocketObserver, IDisposable
{
    private readonly TcpSocket _socket;
    private readonly EdgeSignal _ready = new();

    // Nothing is left to be read since as many edges as this; -1 when that is not known.
    private int _drainedAt = -1;

    public SocketExchange(TcpSocket socket)
    {
        _socket = socket;
        socket.Observer = this;
    }

    /// <summary>Waits until a socket that connects has done so.</summary>
    /// <exception cref="SocketException">It did not succeed.</exception>
    public async ValueTask FinishConnectingAsync(CancellationToken cancel)
    {
        while (true)
        {
            // The kernel's word may have come before anybody observed, so it is asked first. It tells an error once.
            int edges = _ready.Edges;
            SocketError outcome = _socket.Outcome;
            if (outcome != SocketError.Success)
                throw new SocketException((int)outcome);
            if (_socket.IsConnected)
                return;
            await _ready.WaitAsync(edges, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Waits until there is something: the number of bytes, 0 at the end.</summary>
    /// <exception cref="SocketException">The connection broke.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancel)
    {
        while (true)
        {
            int edges = _ready.Edges;
            if ((_socket.HasNews && edges != _drainedAt) || _socket.IsClosed)
            {
                int count = _socket.Receive(destination.Span);
                // What comes after a read that got less than it asked for is told again.
                _drainedAt = count > 0 && count < destination.Length && !_socket.MayHideMore ? edges : -1;
                if (count >= 0)
                    return count;
            }

            await _ready.WaitAsync(edges, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Sends all of it.</summary>
    /// <exception cref="SocketException">The connection broke.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask SendAsync(ReadOnlyMemory<byte> source, CancellationToken cancel)
    {
        while (true)
        {
            int edges = _ready.Edges;
            source = source[_socket.Send(source.Span)..];
            if (source.IsEmpty)
                return;
            await _ready.WaitAsync(edges, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Closes the socket; whoever waits for it is told that it is closed (<see cref="SocketError.OperationAborted"/>). Idempotent.</summary>
    public void Dispose()
    {
        _socket.Dispose();
        _ready.Signal();
    }

    void ISocketObserver.OnReady() => _ready.Signal();
}
