using System.Net.Sockets;
using System.Text;

namespace Tunnel.EndToEnd.Targets;

/// <summary>Whole messages on sockets.</summary>
internal static class SocketExtensions
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static async Task SendAllAsync(this Socket socket, ReadOnlyMemory<byte> data)
    {
        for (int sent = 0; sent < data.Length;)
            sent += await socket.SendAsync(data[sent..]);
    }

    /// <summary>Receives exactly so many bytes; fails when the end comes first.</summary>
    public static async Task<byte[]> ReceiveExactlyAsync(this Socket socket, int length)
    {
        using var limit = new CancellationTokenSource(Limit);
        byte[] data = new byte[length];
        for (int have = 0; have < length;)
        {
            int count = await socket.ReceiveAsync(data.AsMemory(have), limit.Token);
            if (count == 0)
                throw new IOException($"the connection ended after {have} of {length} bytes");
            have += count;
        }

        return data;
    }

    /// <summary>Receives up to the end.</summary>
    public static async Task<byte[]> ReceiveToEndAsync(this Socket socket)
    {
        using var limit = new CancellationTokenSource(Limit);
        using var all = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        while (await socket.ReceiveAsync(buffer, limit.Token) is > 0 and var count)
            all.Write(buffer, 0, count);
        return all.ToArray();
    }

    public static Task SendTextAsync(this Socket socket, string text) => socket.SendAllAsync(Encoding.ASCII.GetBytes(text));

    public static async Task<string> ReceiveTextAsync(this Socket socket) => Encoding.ASCII.GetString(await socket.ReceiveToEndAsync());

    public static async Task<string> ReceiveTextAsync(this Socket socket, int length) =>
        Encoding.ASCII.GetString(await socket.ReceiveExactlyAsync(length));

    /// <summary>How the connection ends when nothing more is sent: true for a reset, false for an orderly end.</summary>
    public static async Task<bool> EndsWithResetAsync(this Socket socket, TimeSpan within)
    {
        using var limit = new CancellationTokenSource(within);
        byte[] buffer = new byte[64 * 1024];
        try
        {
            while (await socket.ReceiveAsync(buffer, limit.Token) != 0)
            {
            }

            return false;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return true;
        }
    }
}
