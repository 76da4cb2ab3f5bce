using System.Net;
using System.Net.Sockets;

namespace Tunnel.EndToEnd.Targets;

/// <summary>A TCP server on loopback in this process: the test says what it does with each connection.</summary>
internal sealed class SocketTarget : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private int _accepted;

    private SocketTarget()
    {
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    public string Address => $"127.0.0.1:{Port}";

    /// <summary>Connections so far.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <param name="serve">Its socket is disposed when it ends.</param>
    public static SocketTarget Start(Func<Socket, Task> serve)
    {
        var target = new SocketTarget();
        target._listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        target._listener.Listen(512);
        _ = target.AcceptAsync(serve);
        return target;
    }

    /// <summary>Sends back what comes.</summary>
    public static SocketTarget StartEcho() => Start(async socket =>
    {
        byte[] buffer = new byte[64 * 1024];
        while (await socket.ReceiveAsync(buffer) is > 0 and var count)
            await socket.SendAllAsync(buffer.AsMemory(0, count));
    });

    public ValueTask DisposeAsync()
    {
        _listener.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task AcceptAsync(Func<Socket, Task> serve)
    {
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptAsync();
                Interlocked.Increment(ref _accepted);
                _ = ServeAsync(socket, serve);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static async Task ServeAsync(Socket socket, Func<Socket, Task> serve)
    {
        using (socket)
        {
            try
            {
                await serve(socket);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // Tests break connections off on purpose; they look at the other end.
            }
        }
    }
}
