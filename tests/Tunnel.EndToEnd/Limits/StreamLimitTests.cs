using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Limits;

/// <summary>How many streams a peer may have, and how long one may keep silent.</summary>
[Collection(nameof(StreamLimitTests))]
public class StreamLimitTests : EndToEndTest
{
    private const int Cap = 4;

    [Fact(Timeout = Limit)]
    public async Task ASessionHasNoMoreStreamsThanItMay()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort(), s => s["transport.kcp.max_streams_per_session"] = Cap);
        await AssertCapHoldsAsync([pair.Client], target);
        await pair.Server.LineAsync("transport.kcp.max_streams_per_session is reached");
    }

    [Fact(Timeout = Limit)]
    public async Task AllSessionsTogetherHaveNoMoreStreamsThanTheyMay()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        int port = FreeUdpPort();
        UdpPair pair = await UdpPair.StartAsync(this, port, s => s["transport.kcp.max_streams_total"] = Cap);
        TunnelProcess second = await StartClientAsync(TunnelSettings.UdpClient(port).WithSocks5());
        await second.ConnectedAsync();
        await AssertCapHoldsAsync([pair.Client, second], target);
        await pair.Server.LineAsync("transport.kcp.max_streams_total is reached");
    }

    /// <summary>
    /// A peer that opens streams and does not say where they go. Our own client always says it, except in kcptun's dialect, whose
    /// streams have no header; without a cipher the two dialects understand each other up to there.
    /// </summary>
    [Fact(Timeout = Limit)]
    public async Task AStreamWhoseHeaderDoesNotComeIsClosedAndCountsNoMore()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        int port = FreeUdpPort();
        UdpPair pair = await UdpPair.StartAsync(
            this,
            port,
            s => Open(s).With("transport.kcp.header_timeout", "2s").With("transport.kcp.max_streams_total", Cap),
            c => Open(c));
        TunnelProcess silent = await StartClientAsync(Open(TunnelSettings.UdpClient(port))
            .With("transport.profile", "kcptun")
            .WithForward(target: null));
        await silent.ConnectedAsync();

        List<Socket> sockets = [];
        for (int i = 0; i < Cap; i++)
        {
            Socket socket = await SocksClient.ConnectDirectlyAsync(await silent.ForwardPortAsync());
            // The beginning of a header; a stream that says nothing at all is not even opened on the wire before it does.
            await socket.SendAllAsync(new byte[] { 0x50 });
            sockets.Add(socket);
        }

        foreach (Socket socket in sockets)
        {
            await socket.EndsWithResetAsync(within: TimeSpan.FromSeconds(10));
            socket.Dispose();
        }

        await pair.Server.LineAsync("transport.kcp.header_timeout is reached");
        await WithRoomAsync(pair.Client, target);
    }

    /// <summary>Connections that nobody closes: as many as the cap work, no more; a closed one makes room.</summary>
    private static async Task AssertCapHoldsAsync(TunnelProcess[] clients, SocketTarget target)
    {
        List<Socket> working = [];
        for (int i = 0; i < 3 * Cap; i++)
        {
            if (await TryEchoAsync(clients[i % clients.Length], target) is { } socket)
                working.Add(socket);
        }

        Assert.Equal(Cap, working.Count);
        Assert.Equal(Cap, target.Accepted);
        foreach (Socket socket in working)
        {
            await socket.SendTextAsync("again");
            Assert.Equal("again", await socket.ReceiveTextAsync(5));
            socket.Dispose();
        }

        await WithRoomAsync(clients[0], target);
    }

    private static async Task WithRoomAsync(TunnelProcess client, SocketTarget target) =>
        await Until.TrueAsync("there is room for a stream", async () =>
        {
            using Socket? socket = await TryEchoAsync(client, target);
            return socket is not null;
        });

    /// <summary>A connection that echoes; null when the proxy says that there is none to be had.</summary>
    private static async Task<Socket?> TryEchoAsync(TunnelProcess client, SocketTarget target)
    {
        (Socket socket, byte reply) = await SocksClient.TryConnectAsync(await client.Socks5PortAsync(), "127.0.0.1", target.Port);
        if (reply != SocksClient.Succeeded)
        {
            socket.Dispose();
            return null;
        }

        await socket.SendTextAsync("hello");
        Assert.Equal("hello", await socket.ReceiveTextAsync(5));
        return socket;
    }

    private static TunnelSettings Open(TunnelSettings settings) => settings
        .With("transport.kcp.block", "null")
        .With("transport.kcp.guard", false);
}
