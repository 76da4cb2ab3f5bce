using System.Net.Sockets;
using Tunnel.App.Hosting;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Operation;

/// <summary>Who stops takes nothing new, and lets end what runs.</summary>
public class DrainTests : EndToEndTest
{
    private static readonly TimeSpan Quickly = TimeSpan.FromSeconds(10);

    /// <summary>What runs goes on; what begins meanwhile waits for the next server, and is served by it.</summary>
    [Fact(Timeout = Limit)]
    public async Task AServerThatStopsFinishesItsStreamsAndTheNextOneTakesTheOthers()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        int port = FreeUdpPort();
        UdpPair pair = await UdpPair.StartAsync(
            this, port, s => s["transport.grace"] = "1m", c => c["transport.open_timeout"] = "1m");
        int socks = await pair.Client.Socks5PortAsync();
        using Socket running = await SocksClient.ConnectAsync(socks, "127.0.0.1", target.Port);
        await EchoAsync(running);

        pair.Server.Terminate();
        await pair.Client.LineAsync("is about to stop");
        Task<Socket> waiting = SocksClient.ConnectAsync(socks, "127.0.0.1", target.Port);
        await EchoAsync(running);
        Assert.False(pair.Server.HasExited);
        running.Dispose();
        Assert.Equal(ExitCode.Success, await pair.Server.ExitAsync());
        await pair.Client.LineAsync("ended: Goodbye");
        Assert.False(waiting.IsCompleted);

        await StartServerAsync(TunnelSettings.UdpServer(port));
        using Socket served = await waiting;
        await EchoAsync(served);
    }

    [Theory(Timeout = Limit)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ASecondSignalEndsTheWait(bool server)
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        UdpPair pair = await UdpPair.StartAsync(
            this, FreeUdpPort(), s => s["transport.grace"] = "5m", c => c["transport.grace"] = "5m");
        using Socket socket = await SocksClient.ConnectAsync(await pair.Client.Socks5PortAsync(), "127.0.0.1", target.Port);
        await EchoAsync(socket);
        TunnelProcess stopped = server ? pair.Server : pair.Client;
        stopped.Terminate();
        await Until.TrueAsync("it stops", () => stopped.WasNotified("STOPPING=1"));
        await EchoAsync(socket);
        stopped.Interrupt();
        Assert.Equal(ExitCode.Hurried, await stopped.ExitAsync(Quickly));
        Assert.True(await socket.EndsWithResetAsync(Quickly));
    }

    private static async Task EchoAsync(Socket socket)
    {
        await socket.SendTextAsync("hello");
        Assert.Equal("hello", await socket.ReceiveTextAsync(5));
    }
}
