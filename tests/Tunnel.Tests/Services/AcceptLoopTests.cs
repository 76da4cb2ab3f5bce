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
            2 => Connected.ToAsync((IPEndPoint)listening.LocalEndPoint!, Reactors.OfProcess.Next(), stop),
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

    /// <summary>A defect of whoever serves costs the connection that it met, not all that come after it.</summary>
    [Fact]
    public async Task ADefectCostsOneConnection()
    {
        using var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listening.Listen(2);
        long before = DefectLog.OfProcess.Count;
        var served = new List<TcpSocket>();
        ValueTask<TcpSocket> Accept(CancellationToken stop) => served.Count < 2
            ? Connected.ToAsync((IPEndPoint)listening.LocalEndPoint!, Reactors.OfProcess.Next(), stop)
            : throw new ObjectDisposedException("the listener");
        void Serve(TcpSocket socket)
        {
            served.Add(socket);
            _ = served.Count == 1 ? throw new InvalidOperationException("a defect") : false;
        }

        await new AcceptLoop(Accept, Serve, _ => { }, () => Task.CompletedTask).RunAsync(CancellationToken.None);
        // Null: it is closed.
        Assert.Equal([true, false], served.Select(socket => socket.LocalEndPoint is null));
        Assert.True(DefectLog.OfProcess.Count > before);
        served[1].Dispose();
    }
}
