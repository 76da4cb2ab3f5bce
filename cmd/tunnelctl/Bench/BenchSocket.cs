using System.Net;
using System.Net.Sockets;
using Tunnel.App.Runtime;
using Tunnel.Links.Sockets;

namespace Tunnel.Ctl.Bench;

/// <summary>
/// A TCP connection of a load or of its target: whole messages, one read or write at a time. Over the tunnel's own sockets, since what
/// the load and the target cost the machine would else be half of what is measured.
/// </summary>
internal sealed class BenchSocket : IDisposable
{
    /// <summary>Reads or writes that needed no wait, after which other connections of the thread have their turn.</summary>
    private const int MostInARow = 64;

    private readonly SocketExchange _exchange;
    private int _inARow;

    public BenchSocket(TcpSocket socket) => _exchange = new SocketExchange(socket);

    /// <summary>Makes a connection.</summary>
    /// <param name="target">To where.</param>
    /// <param name="opened">Told of the socket as soon as there is one, so that it can be given up meanwhile.</param>
    /// <exception cref="SocketException">It did not succeed.</exception>
    public static async ValueTask<BenchSocket> ConnectAsync(IPEndPoint target, Action<BenchSocket> opened)
    {
        TcpSocket connecting = TcpSocket.Connect(target.Address, target.Port, Reactors.OfProcess.Next(), out bool connected);
        var socket = new BenchSocket(connecting);
        opened(socket);
        if (!connected)
            await socket._exchange.FinishConnectingAsync(CancellationToken.None).ConfigureAwait(false);
        return socket;
    }

    /// <summary>Sends all of it.</summary>
    /// <exception cref="SocketException">The connection broke, or was given up.</exception>
    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        ValueTask sending = _exchange.SendAsync(bytes, CancellationToken.None);
        return MayGoOn(sending.IsCompletedSuccessfully) ? sending : LetOthersAsync(sending);
    }

    /// <summary>Waits until there is something: the number of bytes, 0 at the end.</summary>
    /// <exception cref="SocketException">The connection broke, or was given up.</exception>
    public ValueTask<int> ReceiveSomeAsync(Memory<byte> bytes)
    {
        ValueTask<int> receiving = _exchange.ReceiveAsync(bytes, CancellationToken.None);
        return MayGoOn(receiving.IsCompletedSuccessfully) ? receiving : LetOthersAsync(receiving);
    }

    /// <summary>Receives as much as there is room for.</summary>
    /// <exception cref="SocketException">The connection broke, or was given up.</exception>
    /// <exception cref="LoadException">It ended before.</exception>
    public async ValueTask ReceiveAsync(Memory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int count = await ReceiveSomeAsync(bytes).ConfigureAwait(false);
            if (count == 0)
                throw new LoadException(LoadError.Closed, "the connection ended early");
            bytes = bytes[count..];
        }
    }

    /// <summary>Closes it; a read or write under way fails. Any thread.</summary>
    public void Dispose() => _exchange.Dispose();

    private bool MayGoOn(bool wasAtOnce)
    {
        _inARow = wasAtOnce ? _inARow + 1 : 0;
        return _inARow < MostInARow;
    }

    private async ValueTask LetOthersAsync(ValueTask done)
    {
        _inARow = 0;
        await Task.Yield();
        await done.ConfigureAwait(false);
    }

    private async ValueTask<int> LetOthersAsync(ValueTask<int> done)
    {
        _inARow = 0;
        await Task.Yield();
        return await done.ConfigureAwait(false);
    }
}
