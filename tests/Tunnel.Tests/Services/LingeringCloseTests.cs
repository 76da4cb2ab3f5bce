using System.Net.Sockets;
using Tunnel.App.Services;
using Tunnel.Links.Sockets;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Services;

/// <summary>Each of the ways in which the wait for the other end is over, the others being far away.</summary>
public sealed class LingeringCloseTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);

    private readonly LoopbackReactor _reactor = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _reactor.Dispose();

    /// <summary>The reply that says why is there, and its end, while what the other end had sent unasked is unread.</summary>
    [Fact(Timeout = 60_000)]
    public async Task TheEndIsSaidBeforeTheOtherEndCloses()
    {
        (TcpSocket socket, Socket peer) = await ConnectAsync();
        using TcpSocket ours = socket;
        await peer.SendAsync("said too soon"u8.ToArray(), Cancel);
        socket.Send("no"u8);
        Task lingering = LingeringClose.RunAsync(socket, Cancel, Long);
        byte[] reply = new byte[8];
        Assert.Equal(2, await peer.ReceiveAsync(reply, Cancel));
        Assert.Equal(0, await peer.ReceiveAsync(reply, Cancel));
        Assert.False(lingering.IsCompleted);
        peer.Dispose();
        await lingering;
    }

    [Fact(Timeout = 60_000)]
    public async Task WhoSendsOnIsNotListening()
    {
        (TcpSocket socket, Socket peer) = await ConnectAsync();
        using TcpSocket ours = socket;
        using Socket theirs = peer;
        Task lingering = LingeringClose.RunAsync(socket, Cancel, Long);
        byte[] much = new byte[16 * 1024];
        for (int sent = 0; sent < 256 * 1024; sent += much.Length)
            await peer.SendAsync(much, Cancel);
        await lingering;
    }

    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhoSaysNothingIsNotWaitedForForEver(bool stopped)
    {
        (TcpSocket socket, Socket peer) = await ConnectAsync();
        using TcpSocket ours = socket;
        using Socket theirs = peer;
        using var stop = new CancellationTokenSource();
        Task lingering = LingeringClose.RunAsync(socket, stop.Token, stopped ? Long : TimeSpan.FromMilliseconds(10));
        if (stopped)
            await stop.CancelAsync();
        await lingering;
        // It is the caller's to close.
        Assert.NotNull(socket.LocalEndPoint);
    }

    [Fact(Timeout = 60_000)]
    public async Task WhoResetsHasLeft()
    {
        (TcpSocket socket, Socket peer) = await ConnectAsync();
        using TcpSocket ours = socket;
        Task lingering = LingeringClose.RunAsync(socket, Cancel, Long);
        peer.Close(0);
        await lingering;
    }

    private Task<(TcpSocket Socket, Socket Peer)> ConnectAsync() => _reactor.ConnectAsync(Cancel);
}
