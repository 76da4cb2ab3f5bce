using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Udp;

/// <summary>The udp link as anybody can try it: two processes on one host, without any privilege.</summary>
[Collection(nameof(LoopbackTests))]
public class LoopbackTests : EndToEndTest
{
    [Fact(Timeout = Limit)]
    public async Task AFileArrivesWholeBothWays()
    {
        Requires.Tool("curl");
        using HttpTarget target = HttpTarget.Start();
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort());
        var curl = new Curl(null, await pair.Client.Socks5PortAsync());
        await curl.DownloadAsync($"127.0.0.1:{target.Port}", 16 * Payload.MiB);
        Payload.WriteFile(PathOf("upload"), 2, 16 * Payload.MiB);
        Assert.Equal(Payload.Hash(2, 16 * Payload.MiB), await curl.UploadAsync($"127.0.0.1:{target.Port}", PathOf("upload")));
    }

    [Fact(Timeout = Limit)]
    public async Task FourConnectionsAreFourSessions()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort(), changeClient: c => c["transport.conn"] = 4);
        await pair.Client.ConnectedAsync(times: 4);
        await pair.Server.LineAsync("began", times: 4);
        for (int i = 0; i < 8; i++)
        {
            using Socket socket = await SocksClient.ConnectAsync(await pair.Client.Socks5PortAsync(), "localhost", target.Port);
            await socket.SendTextAsync("hello");
            Assert.Equal("hello", await socket.ReceiveTextAsync(5));
        }
    }

    [Fact(Timeout = Limit)]
    public async Task AForwardedPortLeadsToItsTarget()
    {
        SocketTarget first = Own(SocketTarget.Start(s => s.SendTextAsync("first")));
        SocketTarget second = Own(SocketTarget.Start(s => s.SendTextAsync("other")));
        UdpPair pair = await UdpPair.StartAsync(
            this, FreeUdpPort(), changeClient: c => c.WithForward(first.Address).WithForward(second.Address));
        using Socket toFirst = await SocksClient.ConnectDirectlyAsync(await pair.Client.ListenPortAsync("forward", 0));
        using Socket toSecond = await SocksClient.ConnectDirectlyAsync(await pair.Client.ListenPortAsync("forward", 1));
        Assert.Equal("first", await toFirst.ReceiveTextAsync());
        Assert.Equal("other", await toSecond.ReceiveTextAsync());
    }

    [Theory(Timeout = Limit)]
    [InlineData("user:right", true)]
    [InlineData("user:wrong", false)]
    [InlineData("other:right", false)]
    [InlineData(null, false)]
    public async Task AProxyWithAPasswordLetsOnlyItsUsersPass(string? credentials, bool passes)
    {
        Requires.Tool("curl");
        using HttpTarget target = HttpTarget.Start();
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort(), changeClient: c => c.WithSocks5(username: "user", password: "right"));
        var curl = new Curl(null, await pair.Client.ListenPortAsync("socks5", 1), credentials);
        ToolResult result = await curl.GetAsync($"127.0.0.1:{target.Port}");
        // 97: curl could not agree with the proxy.
        Assert.Equal(passes ? 0 : 97, result.ExitCode);
    }
}
