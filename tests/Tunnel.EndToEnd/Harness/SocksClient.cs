using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Harness;

/// <summary>Connections through a SOCKS5 proxy on loopback, for what curl cannot do: half-closing, not reading, breaking off.</summary>
internal static class SocksClient
{
    public const byte Succeeded = 0;
    public const byte ConnectionRefused = 5;

    /// <summary>A connection through the proxy that the proxy says has succeeded.</summary>
    public static async Task<Socket> ConnectAsync(int proxyPort, string host, int port)
    {
        (Socket socket, byte reply) = await TryConnectAsync(proxyPort, host, port);
        Assert.Equal(Succeeded, reply);
        return socket;
    }

    /// <summary>A connection to the proxy, and its answer to the request.</summary>
    public static async Task<(Socket Socket, byte Reply)> TryConnectAsync(int proxyPort, string host, int port)
    {
        Socket socket = await ConnectDirectlyAsync(proxyPort);
        await socket.SendAllAsync(new byte[] { 5, 1, 0 });
        Assert.Equal([5, 0], await socket.ReceiveExactlyAsync(2));
        byte[] name = Encoding.ASCII.GetBytes(host);
        byte[] request = [5, 1, 0, 3, (byte)name.Length, .. name, 0, 0];
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(request.Length - 2), (ushort)port);
        await socket.SendAllAsync(request);
        byte[] answer = await socket.ReceiveExactlyAsync(10);
        return (socket, answer[1]);
    }

    public static async Task<Socket> ConnectDirectlyAsync(int port, string address = "127.0.0.1")
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Parse(address), port);
        return socket;
    }
}
