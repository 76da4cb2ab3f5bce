using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Operation;

/// <summary>After a restart of either end new connections are served at once; keepalives are too slow here to be what helps.</summary>
public class RestartTests : EndToEndTest
{
    /// <summary>A second is the aim; a busy machine needs more.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    [Theory(Timeout = Limit)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AServerThatIsBackServesNewConnectionsSoon(bool crash)
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        int port = FreeUdpPort();
        UdpPair pair = await UdpPair.StartAsync(this, port, s => Patient(s), c => Patient(c));
        int socks = await pair.Client.Socks5PortAsync();
        await EchoAsync(socks, target);
        if (crash)
            await pair.Server.KillAsync();
        else
            pair.Server.Terminate();
        await pair.Server.ExitAsync();

        await StartServerAsync(Patient(TunnelSettings.UdpServer(port)));
        await EchoAsync(socks, target).WaitAsync(Soon);
        await pair.Client.LineAsync(crash ? "ended: PeerForgot" : "ended: Goodbye");
    }

    /// <summary>Clients come all the while: those that find no server are told so, and the first that finds one is served.</summary>
    [Fact(Timeout = Limit)]
    public async Task AServerThatIsBackAfterAWhileServesWhoWaitsSoon()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        int port = FreeUdpPort();
        UdpPair pair = await UdpPair.StartAsync(this, port, s => Patient(s), c => Patient(c).With("transport.open_timeout", "1m"));
        int socks = await pair.Client.Socks5PortAsync();
        pair.Server.Terminate();
        await pair.Server.ExitAsync();
        Task waiting = EchoAsync(socks, target);
        await pair.Client.LineAsync("does not answer");

        await StartServerAsync(Patient(TunnelSettings.UdpServer(port)));
        await waiting.WaitAsync(Soon);
    }

    /// <summary>With a port of its own as well: its address has a session that lives, for all that the server knows.</summary>
    [Theory(Timeout = Limit)]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task AClientThatIsBackIsServedSoon(bool crash, bool ownPort)
    {
        int own = ownPort ? FreeUdpPort() : 0;
        SocketTarget target = Own(SocketTarget.StartEcho());
        int port = FreeUdpPort();
        UdpPair pair = await UdpPair.StartAsync(this, port, s => Patient(s), c => Patient(c).With("network.ipv4.port", own));
        await EchoAsync(await pair.Client.Socks5PortAsync(), target);
        if (crash)
            await pair.Client.KillAsync();
        else
            pair.Client.Terminate();
        await pair.Client.ExitAsync();

        TunnelProcess client = await StartClientAsync(Patient(TunnelSettings.UdpClient(port)).With("network.ipv4.port", own).WithSocks5());
        await EchoAsync(await client.Socks5PortAsync(), target).WaitAsync(Soon);
        if (ownPort)
            await pair.Server.LineAsync("ended: Replaced");
    }

    /// <summary>
    /// What was on its way to a target that a server had no time to finish must not look whole. A kernel that cleans up after a process
    /// closes its sockets in order.
    /// </summary>
    [Fact(Timeout = Limit)]
    public async Task AnUploadThatAKilledServerCutsShortEndsWithAReset()
    {
        var outcome = new TaskCompletionSource<SocketError>();
        SocketTarget target = Own(SocketTarget.Start(async socket =>
        {
            byte[] buffer = new byte[64 * 1024];
            try
            {
                while (await socket.ReceiveAsync(buffer) > 0)
                {
                    // All that comes.
                }

                outcome.SetResult(SocketError.Success);
            }
            catch (SocketException e)
            {
                outcome.SetResult(e.SocketErrorCode);
            }
        }));
        UdpPair pair = await UdpPair.StartAsync(this, FreeUdpPort());
        using Socket socket = await SocksClient.ConnectAsync(await pair.Client.Socks5PortAsync(), "127.0.0.1", target.Port);
        await socket.SendAllAsync(new byte[Payload.MiB]);
        await Task.Delay(TimeSpan.FromSeconds(1));
        await pair.Server.KillAsync();
        Assert.Equal(SocketError.ConnectionReset, await outcome.Task.WaitAsync(Until.Patience));
    }

    private static TunnelSettings Patient(TunnelSettings settings) => settings
        .With("transport.kcp.keepalive", "5m")
        .With("transport.kcp.keepalive_timeout", "10m");

    private static async Task EchoAsync(int socks, SocketTarget target)
    {
        using Socket socket = await SocksClient.ConnectAsync(socks, "127.0.0.1", target.Port);
        await socket.SendTextAsync("hello");
        Assert.Equal("hello", await socket.ReceiveTextAsync(5));
    }
}
