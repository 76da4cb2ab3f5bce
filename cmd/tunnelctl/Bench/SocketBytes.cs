using System.Net.Sockets;

namespace Tunnel.Ctl.Bench;

/// <summary>Whole messages over a stream socket.</summary>
internal static class SocketBytes
{
    public static async ValueTask SendAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await socket.SendAsync(bytes, SocketFlags.None).ConfigureAwait(false)..];
    }

    /// <exception cref="LoadException">The connection ended before.</exception>
    public static async ValueTask ReceiveAsync(Socket socket, Memory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int count = await socket.ReceiveAsync(bytes, SocketFlags.None).ConfigureAwait(false);
            if (count == 0)
                throw new LoadException(LoadError.Closed, "the connection ended early");
            bytes = bytes[count..];
        }
    }
}
