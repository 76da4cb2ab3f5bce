using System.Net;
using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Udp;

/// <summary>A connection through the tunnel behaves as one without it: ends, resets, refusals and slowness come through.</summary>
[Collection(nameof(RelayTests))]
public class RelayTests : EndToEndTest
{
    private const int ReplyLength = 4 * Payload.MiB;

    /// <summary>How long somebody does not read; what nothing held up would have been there in a fraction of it.</summary>
    private static readonly TimeSpan Stalled = TimeSpan.FromSeconds(2);

    [Fact(Timeout = Limit)]
    public async Task AReplyComesWholeAfterTheClientHasSaidAll()
    {
        byte[] reply = Payload.Bytes(seed: 1, ReplyLength);
        SocketTarget target = Own(SocketTarget.Start(async socket =>
        {
            Assert.Equal("request", await socket.ReceiveTextAsync());
            await socket.SendAllAsync(reply);
        }));
        using Socket socket = await ConnectAsync(target);
        await socket.SendTextAsync("request");
        socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(Payload.Hash(reply), Payload.Hash(await socket.ReceiveToEndAsync()));
    }

    [Fact(Timeout = Limit)]
    public async Task AnUploadComesWholeAfterTheServerHasSaidAll()
    {
        var received = new TaskCompletionSource<byte[]>();
        SocketTarget target = Own(SocketTarget.Start(async socket =>
        {
            await socket.SendTextAsync("hello");
            socket.Shutdown(SocketShutdown.Send);
            received.SetResult(await socket.ReceiveToEndAsync());
        }));
        byte[] upload = Payload.Bytes(seed: 2, ReplyLength);
        using Socket socket = await ConnectAsync(target);
        Assert.Equal("hello", await socket.ReceiveTextAsync());
        await socket.SendAllAsync(upload);
        socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(Payload.Hash(upload), Payload.Hash(await received.Task.WaitAsync(Until.Patience)));
    }

    [Fact(Timeout = Limit)]
    public async Task ARefusedTargetIsARefusedRequest()
    {
        SocketTarget target = SocketTarget.StartEcho();
        int port = target.Port;
        await target.DisposeAsync();
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort());
        (Socket socket, byte reply) = await SocksClient.TryConnectAsync(await pair.Client.Socks5PortAsync(), "127.0.0.1", port);
        socket.Dispose();
        Assert.Equal(SocksClient.ConnectionRefused, reply);
        await pair.Server.LineAsync("could not connect to");
    }

    [Fact(Timeout = Limit)]
    public async Task AResetOfTheClientReachesTheTarget()
    {
        var ended = new TaskCompletionSource<bool>();
        SocketTarget target = Own(SocketTarget.Start(async socket =>
        {
            await socket.SendTextAsync("hello");
            ended.SetResult(await socket.EndsWithResetAsync(Until.Patience));
        }));
        using Socket socket = await ConnectAsync(target);
        await socket.ReceiveExactlyAsync(5);
        socket.Close(0);
        Assert.True(await ended.Task.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact(Timeout = Limit)]
    public async Task AResetOfTheTargetReachesTheClient()
    {
        SocketTarget target = Own(SocketTarget.Start(async socket =>
        {
            await socket.ReceiveExactlyAsync(5);
            socket.Close(0);
        }));
        using Socket socket = await ConnectAsync(target);
        await socket.SendTextAsync("hello");
        Assert.True(await socket.EndsWithResetAsync(within: TimeSpan.FromSeconds(10)));
    }

    /// <summary>What a reader does not take stays with the writer; only the windows and buffers of the way lie in memory.</summary>
    [Fact(Timeout = Limit)]
    public async Task AReaderThatDoesNotReadFillsNoMemoryAndHoldsUpNobodyElse()
    {
        const int length = 128 * Payload.MiB;
        SocketTarget flood = Own(SocketTarget.Start(async socket =>
        {
            foreach (ReadOnlyMemory<byte> block in Payload.Blocks(3, length))
                await socket.SendAllAsync(block);
        }));
        SocketTarget echo = Own(SocketTarget.StartEcho());
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort());
        int proxy = await pair.Client.Socks5PortAsync();
        using Socket other = await SocksClient.ConnectAsync(proxy, "127.0.0.1", echo.Port);
        await EchoAsync(other, Payload.MiB);
        long server = pair.Server.ResidentBytes;
        long client = pair.Client.ResidentBytes;

        using Socket slow = await SocksClient.ConnectAsync(proxy, "127.0.0.1", flood.Port);
        DateTime end = DateTime.UtcNow + Stalled;
        while (DateTime.UtcNow < end)
            await EchoAsync(other, 64 * 1024);
        AssertGrewLessThan(60, pair.Server, server);
        AssertGrewLessThan(60, pair.Client, client);

        Assert.Equal(Payload.Hash(3, length), await Payload.HashAsync(new NetworkStream(slow)));
    }

    /// <summary>The same the other way: what a target does not take stays with the application at the client.</summary>
    [Fact(Timeout = Limit)]
    public async Task ATargetThatDoesNotReadHoldsUpItsWriterOnly()
    {
        const int length = 128 * Payload.MiB;
        var release = new TaskCompletionSource();
        var received = new TaskCompletionSource<string>();
        SocketTarget slow = Own(SocketTarget.Start(async socket =>
        {
            await release.Task;
            received.SetResult(await Payload.HashAsync(new NetworkStream(socket)));
        }));
        SocketTarget echo = Own(SocketTarget.StartEcho());
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort());
        int proxy = await pair.Client.Socks5PortAsync();
        using Socket other = await SocksClient.ConnectAsync(proxy, "127.0.0.1", echo.Port);
        await EchoAsync(other, Payload.MiB);
        long server = pair.Server.ResidentBytes;
        long client = pair.Client.ResidentBytes;

        using Socket writer = await SocksClient.ConnectAsync(proxy, "127.0.0.1", slow.Port);
        Task writing = Task.Run(async () =>
        {
            foreach (ReadOnlyMemory<byte> block in Payload.Blocks(4, length))
                await writer.SendAllAsync(block);
            writer.Shutdown(SocketShutdown.Send);
        });
        DateTime end = DateTime.UtcNow + Stalled;
        while (DateTime.UtcNow < end)
            await EchoAsync(other, 64 * 1024);
        Assert.False(writing.IsCompleted);
        AssertGrewLessThan(60, pair.Server, server);
        AssertGrewLessThan(60, pair.Client, client);

        release.SetResult();
        await writing;
        Assert.Equal(Payload.Hash(4, length), await received.Task.WaitAsync(Until.Patience));
    }

    private async Task<Socket> ConnectAsync(SocketTarget target)
    {
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort());
        return await SocksClient.ConnectAsync(await pair.Client.Socks5PortAsync(), IPAddress.Loopback.ToString(), target.Port);
    }

    private static async Task EchoAsync(Socket socket, int length)
    {
        byte[] data = Payload.Bytes(length, length);
        Task sending = socket.SendAllAsync(data);
        Assert.Equal(Payload.Hash(data), Payload.Hash(await socket.ReceiveExactlyAsync(length)));
        await sending;
    }

    /// <summary>
    /// A window of long datagrams is 18 MiB, and as much again lies about while its ring grows. The bound is above that, and below half of
    /// what was sent.
    /// </summary>
    private static void AssertGrewLessThan(int mebibytes, ChildProcess process, long from)
    {
        double growth = (process.ResidentBytes - from) / (double)Payload.MiB;
        Assert.True(growth < mebibytes, $"{process.Name} grew by {growth:0.0} MiB");
    }
}
