using System.Net;
using System.Net.Sockets;

namespace Tunnel.Tests.Services;

/// <summary>Sockets at both ends of a tunnel: what one side does to its own, the other side sees at its own.</summary>
public class RelayTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ManyAtOnceEachGetTheirOwn()
    {
        using var target = new TcpAnswerer();
        await using TunnelPair pair = await TunnelPair.StartAsync(Forward(target.Port));
        await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
        {
            byte[] request = [.. Enumerable.Range(0, 1 + i * 7000).Select(j => (byte)(j * 31 + i))];
            using Socket client = await ConnectAsync(pair.Listener);
            for (int sent = 0; sent < request.Length;)
                sent += await client.SendAsync(request.AsMemory(sent), Cancel);
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal(TcpAnswerer.Answer(request), await TcpAnswerer.ReceiveAllAsync(client, Cancel));
        }));
    }

    [Fact]
    public async Task ASlowReaderGetsAllOfIt()
    {
        await using Relayed relayed = await Relayed.StartAsync();
        (Socket client, Socket target) = relayed.Sides(clientFirst: true);
        // More than the buffers of four sockets and both windows.
        byte[] data = [.. Enumerable.Range(0, 24 << 20).Select(i => (byte)(i * 13 + i / 777))];
        Task sending = Task.Run(
            async () =>
            {
                for (int sent = 0; sent < data.Length;)
                    sent += await target.SendAsync(data.AsMemory(sent), Cancel);
                target.Shutdown(SocketShutdown.Send);
            },
            Cancel);
        // Nothing is taken until nothing more can be on its way.
        while (client.Available == 0)
            await Task.Delay(10, Cancel);
        Assert.False(sending.IsCompleted);
        Assert.Equal(data, await TcpAnswerer.ReceiveAllAsync(client, Cancel));
        await sending;
    }

    [Fact]
    public async Task BytesBehindUrgentOnesGetThere()
    {
        await using Relayed relayed = await Relayed.StartAsync();
        (Socket client, Socket target) = relayed.Sides(clientFirst: true);
        client.Send("abc"u8);
        client.Send("x"u8, SocketFlags.OutOfBand);
        client.Send("def"u8);
        byte[] received = new byte[6];
        for (int have = 0; have < received.Length;)
            have += await target.ReceiveAsync(received.AsMemory(have), Cancel);
        Assert.Equal("abcdef"u8, received);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ABreakAtOneEndIsABreakAtTheOther(bool clientBreaks)
    {
        await using Relayed relayed = await Relayed.StartAsync();
        (Socket client, Socket target) = relayed.Sides(clientFirst: true);
        await client.SendAsync("!"u8.ToArray(), Cancel);
        Assert.Equal(1, await target.ReceiveAsync(new byte[2], Cancel));
        (Socket breaks, Socket sees) = relayed.Sides(clientBreaks);
        breaks.Close(0);
        var e = await Assert.ThrowsAsync<SocketException>(async () => await sees.ReceiveAsync(new byte[1], Cancel));
        Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ABreakAfterAnEndIsABreakAtTheOther(bool clientBreaks)
    {
        await using Relayed relayed = await Relayed.StartAsync();
        (Socket breaks, Socket sees) = relayed.Sides(clientBreaks);
        breaks.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await sees.ReceiveAsync(new byte[1], Cancel));
        Assert.Equal(0, ErrorOf(sees));
        breaks.Close(0);
        // Behind an end a reader is told nothing more.
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(30));
        while (ErrorOf(sees) == 0)
            await Task.Delay(10, limit.Token);
    }

    /// <summary>The window between them is full, and nothing will ever make room: that is all that the far side waits for.</summary>
    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ABreakReachesASideThatTakesNothing(bool clientBreaks)
    {
        await using Relayed relayed = await Relayed.StartAsync();
        (Socket breaks, Socket sees) = relayed.Sides(clientBreaks);
        breaks.Blocking = false;
        sees.Shutdown(SocketShutdown.Send);
        // Until neither kernel nor window takes more.
        for (int refused = 0; refused < 50; await Task.Delay(10, Cancel))
        {
            breaks.Send(new byte[1 << 20], SocketFlags.None, out SocketError error);
            refused = error == SocketError.WouldBlock ? refused + 1 : 0;
        }

        breaks.Close(0);
        while (ErrorOf(sees) == 0)
            await Task.Delay(10, Cancel);
    }

    private static int ErrorOf(Socket socket) => (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;

    private static string Forward(int port) => $"[[forward]]\nlisten='127.0.0.1:0'\ntarget='127.0.0.1:{port}'\n";

    private static async Task<Socket> ConnectAsync(IPEndPoint address)
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(address, Cancel);
        return client;
    }

    /// <summary>An application and its target at the ends of a tunnel.</summary>
    private sealed class Relayed(TunnelPair pair, Socket client, Socket target) : IAsyncDisposable
    {
        public static async Task<Relayed> StartAsync()
        {
            using var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listening.Listen(1);
            TunnelPair pair = await TunnelPair.StartAsync(Forward(((IPEndPoint)listening.LocalEndPoint!).Port));
            return new Relayed(pair, await ConnectAsync(pair.Listener), await listening.AcceptAsync(Cancel));
        }

        public (Socket One, Socket Other) Sides(bool clientFirst) => clientFirst ? (client, target) : (target, client);

        public async ValueTask DisposeAsync()
        {
            client.Dispose();
            target.Dispose();
            await pair.DisposeAsync();
        }
    }
}
