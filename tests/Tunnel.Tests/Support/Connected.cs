using System.Net;
using Tunnel.Links.Sockets;

namespace Tunnel.Tests.Support;

/// <summary>A reactor's socket that is connected.</summary>
internal static class Connected
{
    public static async ValueTask<TcpSocket> ToAsync(IPEndPoint target, Reactor reactor, CancellationToken cancel)
    {
        TcpSocket socket = TcpSocket.Connect(target.Address, target.Port, reactor, out _);
        await new SocketExchange(socket).FinishConnectingAsync(cancel);
        return socket;
    }
}
