using System.Net;
using System.Net.Sockets;
using Tunnel.App.Runtime;
using Tunnel.Ctl.Bench.Workloads;
using Tunnel.Links.Sockets;

namespace Tunnel.Ctl.Bench;

/// <summary>
/// The target of benches: HTTP on one port (GET / of 13 bytes, GET /bytes/N), echo over TCP and UDP on the next, bulk on the one after.
/// </summary>
internal sealed class TargetServer : IDisposable
{
    private const int BulkChunk = 256 * 1024;

    private static readonly byte[] Source = Payload.Random(BulkChunk);

    private readonly TimeSpan _delay;
    private readonly SocketAcceptor _http;
    private readonly SocketAcceptor _echo;
    private readonly SocketAcceptor _bulk;
    private readonly Socket _datagrams;

    /// <param name="first">The first of the three ports.</param>
    /// <param name="delay">How long an HTTP request or an echoed message takes, so that rate and times are the target's and not the machine's.</param>
    /// <param name="backlog">Connections that may wait to be accepted; the kernel cuts it to net.core.somaxconn.</param>
    /// <exception cref="BenchException">A port is taken, or the address is not this host's.</exception>
    public TargetServer(IPEndPoint first, TimeSpan delay, int backlog)
    {
        _delay = delay;
        _http = Listen(first, 0, backlog);
        _echo = Listen(first, 1, backlog);
        _bulk = Listen(first, 2, backlog);
        _datagrams = new Socket(first.AddressFamily, SocketType.Dgram, ProtocolType.Udp) { ReceiveBufferSize = 4 << 20 };
        Bind(_datagrams, new IPEndPoint(first.Address, first.Port + 1));
    }

    public async Task RunAsync(CancellationToken cancel)
    {
        using CancellationTokenRegistration stop = cancel.Register(Dispose);
        await Task.WhenAll(
            AcceptAsync(_http, socket => TargetHttp.ServeAsync(socket, _delay)),
            AcceptAsync(_echo, EchoAsync),
            AcceptAsync(_bulk, ServeBulkAsync),
            EchoDatagramsAsync()).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _http.Dispose();
        _echo.Dispose();
        _bulk.Dispose();
        _datagrams.Dispose();
    }

    /// <summary>The time that a request takes; without any, nothing is awaited at all.</summary>
    internal static Task ServeTimeAsync(TimeSpan delay) => delay == TimeSpan.Zero ? Task.CompletedTask : Task.Delay(delay);

    private static SocketAcceptor Listen(IPEndPoint first, int offset, int backlog)
    {
        // Each connection inherits NoDelay.
        var socket = new Socket(first.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        Bind(socket, new IPEndPoint(first.Address, first.Port + offset));
        socket.Listen(backlog);
        return Reactors.OfProcess.Accept(socket);
    }

    private static void Bind(Socket socket, IPEndPoint address)
    {
        try
        {
            socket.Bind(address);
        }
        catch (SocketException e)
        {
            throw new BenchException($"cannot listen on {address}: {e.Message}");
        }
    }

    private static async Task AcceptAsync(SocketAcceptor listener, Func<BenchSocket, Task> serve)
    {
        while (true)
        {
            try
            {
                _ = ServeAsync(new BenchSocket(await listener.AcceptAsync(CancellationToken.None).ConfigureAwait(false)), serve);
            }
            catch (Exception e) when (e is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return;
            }
            catch (SocketException)
            {
                // No more descriptors, most likely: some will come back.
                await Task.Delay(50).ConfigureAwait(false);
            }
        }
    }

    private static async Task ServeAsync(BenchSocket socket, Func<BenchSocket, Task> serve)
    {
        using (socket)
        {
            try
            {
                await serve(socket).ConfigureAwait(false);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or LoadException)
            {
                // The client has gone, or does not speak what is spoken here.
            }
        }
    }

    private async Task EchoAsync(BenchSocket socket)
    {
        // A held connection's price is to be the tunnel's, not this buffer's.
        byte[] buffer = new byte[4096];
        while (await socket.ReceiveSomeAsync(buffer).ConfigureAwait(false) is var count and not 0)
        {
            await ServeTimeAsync(_delay).ConfigureAwait(false);
            await socket.SendAsync(buffer.AsMemory(0, count)).ConfigureAwait(false);
            if (count == buffer.Length && count < BulkChunk)
                buffer = new byte[count * 2];
        }
    }

    private static async Task ServeBulkAsync(BenchSocket socket)
    {
        byte[] buffer = new byte[BulkChunk];
        await socket.ReceiveAsync(buffer.AsMemory(0, 1)).ConfigureAwait(false);
        if (buffer[0] == (byte)BulkDirection.Down)
        {
            while (true)
                await socket.SendAsync(Source).ConfigureAwait(false);
        }

        while (await socket.ReceiveSomeAsync(buffer).ConfigureAwait(false) != 0)
        {
        }
    }

    private async Task EchoDatagramsAsync()
    {
        byte[] buffer = new byte[64 * 1024];
        EndPoint any = new IPEndPoint(_datagrams.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        while (true)
        {
            try
            {
                SocketReceiveFromResult got = await _datagrams.ReceiveFromAsync(buffer, SocketFlags.None, any).ConfigureAwait(false);
                await _datagrams.SendToAsync(buffer.AsMemory(0, got.ReceivedBytes), SocketFlags.None, got.RemoteEndPoint).ConfigureAwait(false);
            }
            catch (Exception e) when (e is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return;
            }
            catch (SocketException)
            {
                // An ICMP answer to an earlier datagram: that sender has gone, the others have not.
            }
        }
    }
}
