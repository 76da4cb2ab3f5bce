using System.Net.Sockets;
using Tunnel.Links.Sockets;

namespace Tunnel.App.Services;

/// <summary>
/// The end of a connection whose last word must be heard. Closing it while something is unread makes the kernel send a reset, on which the other
/// end may throw away what it has not read either: the reply that says why. So the end is said first, and what still comes is thrown away, for a
/// while.
/// </summary>
internal static class LingeringClose
{
    /// <summary>Bytes that somebody sends before he reads, at most; who sends more than that is not listening.</summary>
    private const int MostBytes = 256 * 1024;

    private const int BufferLength = 4096;

    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(2);

    /// <summary>Until the other end has closed, too, or for as long as is reasonable. Never throws for what the network does.</summary>
    /// <param name="socket">All has been sent. It is the caller's to close, after that.</param>
    /// <param name="stop">Ends the wait.</param>
    /// <param name="mostTime">As long as is reasonable; null for two seconds.</param>
    public static async Task RunAsync(TcpSocket socket, CancellationToken stop, TimeSpan? mostTime = null)
    {
        socket.ShutdownSend();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(stop);
        limit.CancelAfter(mostTime ?? MostTime);
        var exchange = new SocketExchange(socket);
        byte[] ignored = new byte[BufferLength];
        try
        {
            for (int count = 1, total = 0; count != 0 && total < MostBytes; total += count)
                count = await exchange.ReceiveAsync(ignored, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            // It has left, or it does not.
        }
    }
}
