using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Startup;

/// <summary>A stop is orderly, quick, and known to systemd.</summary>
public class StopTests : EndToEndTest
{
    private static readonly TimeSpan Quickly = TimeSpan.FromSeconds(10);

    [Theory(Timeout = Limit)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ASignalEndsBothOrderly(bool interrupt)
    {
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort());
        foreach (TunnelProcess process in new[] { pair.Client, pair.Server })
        {
            Assert.True(process.WasNotified("READY=1"));
            Assert.False(process.WasNotified("STOPPING=1"));
            Signal(process, interrupt);
            Assert.Equal(0, await process.ExitAsync(Quickly));
            await Until.TrueAsync("systemd knows that it stops", () => process.WasNotified("STOPPING=1"), Quickly);
            Assert.DoesNotContain("warning", process.Text);
        }
    }

    /// <summary>Open connections are waited for, but not for longer than the file says.</summary>
    [Fact(Timeout = Limit)]
    public async Task OpenConnectionsDoNotHoldUpAStop()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        UdpPair pair = await UdpPair.StartAsync(
            this, FreeUdpPort(), s => s["transport.grace"] = "1s", c => c["transport.grace"] = "1s");
        using Socket socket = await SocksClient.ConnectAsync(await pair.Client.Socks5PortAsync(), "127.0.0.1", target.Port);
        await socket.SendTextAsync("hello");
        Assert.Equal("hello", await socket.ReceiveTextAsync(5));
        pair.Client.Terminate();
        Assert.Equal(0, await pair.Client.ExitAsync(Quickly));
        await socket.EndsWithResetAsync(Quickly);
        pair.Server.Terminate();
        Assert.Equal(0, await pair.Server.ExitAsync(Quickly));
    }

    [Fact(Timeout = Limit)]
    public async Task AConnectionThatEndsWithinTheGraceEndsWhole()
    {
        byte[] reply = Payload.Bytes(1, 100_000);
        var release = new TaskCompletionSource();
        SocketTarget target = Own(SocketTarget.Start(async socket =>
        {
            await socket.ReceiveExactlyAsync(5);
            await release.Task;
            await socket.SendAllAsync(reply);
        }));
        UdpPair pair = await UdpPair.StartAsync(
            this, FreeUdpPort(), s => s["transport.grace"] = "20s", c => c["transport.grace"] = "20s");
        using Socket socket = await SocksClient.ConnectAsync(await pair.Client.Socks5PortAsync(), "127.0.0.1", target.Port);
        await socket.SendTextAsync("hello");
        await Until.TrueAsync("the target is reached", () => target.Accepted == 1);
        pair.Client.Terminate();
        await Until.TrueAsync("it stops", () => pair.Client.WasNotified("STOPPING=1"));
        release.SetResult();
        Assert.Equal(Payload.Hash(reply), Payload.Hash(await socket.ReceiveToEndAsync()));
        socket.Close();
        Assert.Equal(0, await pair.Client.ExitAsync(Quickly));
    }

    private static void Signal(ChildProcess process, bool interrupt)
    {
        if (interrupt)
            process.Interrupt();
        else
            process.Terminate();
    }
}
