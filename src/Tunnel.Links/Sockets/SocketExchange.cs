using System.Net;
using System.Net.Sockets;

namespace Tunnel.Links.Sockets;

/// <summary>
/// A socket for code that awaits, as handshakes do: one read or write at a time. What awaits goes on, on the reactor's thread. It observes
/// the socket until somebody else does.
/// </summary>
public sealed class SocketExchange : ISocketObserver
{
    private readonly TcpSocket _socket;
    private readonly EdgeSignal _ready = new();

    public SocketExchange(TcpSocket socket)
    {
        _socket = socket;
        socket.Observer = this;
    }

    /// <summary>Connects.</summary>
    /// <exception cref="SocketException">It did not succeed.</exception>
    public static async ValueTask<TcpSocket> ConnectAsync(IPEndPoint target, SocketReactor reactor, CancellationToken cancel)
    {
        TcpSocket socket = TcpSocket.Connect(target, reactor, out bool connected);
        try
        {
            if (!connected)
                await new SocketExchange(socket).FinishConnectingAsync(cancel).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Waits until there is something: the number of bytes, 0 at the end.</summary>
    /// <exception cref="SocketException">The connection broke.</exception>
    public async ValueTask<int> ReceiveAsync(Memory<byte> destination, CancellationToken cancel)
    {
        while (true)
        {
            int edges = _ready.Edges;
            int count = _socket.Receive(destination.Span);
            if (count >= 0)
                return count;
            await _ready.WaitAsync(edges, cancel).ConfigureAwait(false);
        }
    }

    /// <summary>Sends all of it.</summary>
    /// <exception cref="SocketException">The connection broke.</exception>
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

    void ISocketObserver.OnReady() => _ready.Signal();

    private async ValueTask FinishConnectingAsync(CancellationToken cancel)
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
}
