using System.Net;
using System.Net.Sockets;

namespace Tunnel.Tests.Services;

/// <summary>A TCP target on loopback that hears all of a request, to its end, before it answers and ends, too.</summary>
internal sealed class TcpAnswerer : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private int _accepted;

    public TcpAnswerer()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
        _ = RunAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndPoint!).Port;

    /// <summary>Connections so far.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>The request backwards, with its length in front, so that no echo on the way passes for it.</summary>
    public static byte[] Answer(byte[] request)
    {
        byte[] backwards = [.. request];
        Array.Reverse(backwards);
        return [.. BitConverter.GetBytes(request.Length), .. backwards];
    }

    public static async Task<byte[]> ReceiveAllAsync(Socket socket, CancellationToken cancel)
    {
        using var all = new MemoryStream();
        byte[] buffer = new byte[65_536];
        while (await socket.ReceiveAsync(buffer, cancel) is > 0 and var count)
            all.Write(buffer, 0, count);
        return all.ToArray();
    }

    public void Dispose() => _listener.Dispose();

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptAsync();
                Interlocked.Increment(ref _accepted);
                _ = ServeAsync(socket);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private static async Task ServeAsync(Socket socket)
    {
        using (socket)
        {
            try
            {
                byte[] answer = Answer(await ReceiveAllAsync(socket, CancellationToken.None));
                for (int sent = 0; sent < answer.Length;)
                    sent += await socket.SendAsync(answer.AsMemory(sent));
                socket.Shutdown(SocketShutdown.Both);
            }
            catch (SocketException)
            {
                // The tests break connections off on purpose.
            }
        }
    }
}
