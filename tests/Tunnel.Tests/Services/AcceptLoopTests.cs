using System.Net;
using System.Net.Sockets;
using Tunnel.App.Runtime;
using Tunnel.App.Services;
using Tunnel.Links.Sockets;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Services;

public class AcceptLoopTests
{
    [Theory]
    [InlineData(SocketError.TooManyOpenSockets, 1)]
    [InlineData(SocketError.NoBufferSpaceAvailable, 1)]
    [InlineData(SocketError.ConnectionAborted, 0)]
    public async Task ErrorsAreSurvivedThoseOfResourcesWithAPause(SocketError error, int pauses)
    {
        using var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listening.Listen(1);
        var told = new List<SocketError>();
        int accepts = 0, served = 0, paused = 0;
        ValueTask<TcpSocket> Accept(CancellationToken stop) => ++accepts switch
        {
            1 => throw new SocketException((int)error),
            2 => Connected.ToAsync((IPEndPoint)listening.LocalEndPoint!, LocalSockets.Next(), stop),
            _ => throw new ObjectDisposedException("the listener"),
        };
        void Serve(TcpSocket socket)
        {
            served++;
            socket.Dispose();
        }

        Task Pause()
        {
            paused++;
            return Task.CompletedTask;
        }

        await new AcceptLoop(Accept, Serve, told.Add, Pause).RunAsync(CancellationToken.None);
        Assert.Equal((3, 1, pauses), (accepts, served, paused));
        Assert.Equal([error], told);
    }
}
