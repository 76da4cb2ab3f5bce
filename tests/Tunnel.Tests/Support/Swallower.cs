using System.Net;
using System.Net.Sockets;

namespace Tunnel.Tests.Support;

/// <summary>A port whose queue is full: the kernel drops whatever wants to connect.</summary>
internal sealed class Swallower : IDisposable
{
    private readonly List<Socket> _sockets = [];

    public Swallower(IPEndPoint address)
    {
        Socket listening = New();
        listening.Bind(address);
        listening.Listen(0);
        Port = (ushort)((IPEndPoint)listening.LocalEndPoint!).Port;
        Address = address.Address;
        // There is one more than the queue holds, which waits for ever.
        while (TryConnect(New()))
        {
            // Until there is.
        }
    }

    public IPAddress Address { get; }

    public ushort Port { get; }

    public void Dispose() => _sockets.ForEach(s => s.Dispose());

    private bool TryConnect(Socket socket)
    {
        socket.Blocking = false;
        try
        {
            socket.Connect(new IPEndPoint(Address, Port));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
        {
            return socket.Poll(TimeSpan.FromMilliseconds(100), SelectMode.SelectWrite);
        }

        return true;
    }

    private Socket New()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _sockets.Add(socket);
        return socket;
    }
}
