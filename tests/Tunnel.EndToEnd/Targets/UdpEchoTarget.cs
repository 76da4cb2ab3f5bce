using System.Net;
using System.Net.Sockets;

namespace Tunnel.EndToEnd.Targets;

/// <summary>A UDP target on loopback in this process; sends back what comes unless the test says what it answers.</summary>
internal sealed class UdpEchoTarget : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
    {
        ReceiveBufferSize = 4 << 20,
        SendBufferSize = 4 << 20,
    };

    private readonly Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> _answer;

    public UdpEchoTarget(Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>? answer = null)
    {
        _answer = answer ?? (datagram => datagram);
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _ = RunAsync();
    }

    public int Port => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    public void Dispose() => _socket.Dispose();

    private async Task RunAsync()
    {
        byte[] buffer = new byte[65_536];
        try
        {
            while (true)
            {
                SocketReceiveFromResult received = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, _socket.LocalEndPoint!);
                await _socket.SendToAsync(_answer(buffer.AsMemory(0, received.ReceivedBytes)), SocketFlags.None, received.RemoteEndPoint);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
