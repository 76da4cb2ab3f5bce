using System.Net;
using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Diagnostics;

/// <summary>
/// What two processes write in an eventful life: each cause at its level, and repeats as a few lines and a number. One story, for a
/// period of the log's limits takes its ten seconds.
/// </summary>
public class LogTests : EndToEndTest
{
    private const int Connections = 5, Streams = 3, Storm = 60;

    /// <summary>Lines of a kind in a period.</summary>
    private const int Burst = 10;

    private const string Refused = "closed a connection at once", LeftOut = "more messages about connections over the cap were left out";

    private static readonly (string Text, string Level)[] AtClient =
    [
        ("socks5 listens on", "info"),
        ("is up", "info"),
        ("socks5: ", "debug"),
        (Refused, "warning"),
        (LeftOut, "info"),
        ("the session ended (Goodbye)", "warning"),
        ("does not answer within", "warning"),
    ];

    private static readonly (string Text, string Level)[] AtServer =
    [
        ("dropped 50 bytes", "trace"),
        ("bytes at link udp from", "trace"),
        ("bytes by link udp to", "trace"),
        ("the peer reset the stream", "debug"),
        ("began", "info"),
        ("could not connect to", "info"),
        ("is denied to", "info"),
        ("changed: log.level", "info"),
        ("segments sent", "info"),
        ("max_streams_per_session is reached", "warning"),
        ("needs a restart", "warning"),
        ("everything stays as it was", "error"),
    ];

    [Fact(Timeout = Limit)]
    public async Task EachCauseHasItsLevelAndRepeatsAreCounted()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        int port = FreeUdpPort();
        UdpPair pair = await UdpPair.StartAsync(
            this,
            port,
            s => Server(s),
            c => c.With("debug.pprof", "127.0.0.1:0").With("listeners.max_connections", Connections));
        using DebugClient client = await DebugClient.ToAsync(pair.Client), server = await DebugClient.ToAsync(pair.Server);
        int proxy = await pair.Client.Socks5PortAsync();

        await StormAsync(proxy, client);
        await ReachStreamCapAsync(proxy, target, client);
        await FailToConnectAsync(proxy, "127.0.0.1");
        await FailToConnectAsync(proxy, "127.0.0.2");
        await DropAsync(server, port, from: 0);
        await ReloadAsync(pair.Server, server, port);
        pair.Server.Terminate();
        Assert.Equal(0, await pair.Server.ExitAsync());
        await pair.Client.LineAsync("the session ended");
        await pair.Client.LineAsync("does not answer within");
        await AssertRepeatsAreCountedAsync(pair.Client);

        Assert.All(AtClient, cause => AssertLevel(pair.Client, cause.Text, cause.Level));
        Assert.All(AtServer, cause => AssertLevel(pair.Server, cause.Text, cause.Level));
    }

    private static TunnelSettings Server(TunnelSettings settings) => settings
        .With("log.level", "trace")
        .With("debug.pprof", "127.0.0.1:0")
        .With("targets.deny", TunnelSettings.List("127.0.0.2/32"))
        .With("transport.kcp.max_streams_per_session", Streams);

    /// <summary>All the connections that there may be, which say nothing.</summary>
    private static async Task<List<Socket>> FillAsync(int proxy, DebugClient client)
    {
        List<Socket> sockets = await ConnectAsync(proxy, Connections);
        await Until.TrueAsync("there is no room left", async () => await ActiveAsync(client) == Connections);
        return sockets;
    }

    private static async Task<List<Socket>> ConnectAsync(int proxy, int count)
    {
        List<Socket> sockets = [];
        for (int i = 0; i < count; i++)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            sockets.Add(socket);
            try
            {
                await socket.ConnectAsync(IPAddress.Loopback, proxy);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
            {
                // Closed before this end knew that it was open.
            }
        }

        return sockets;
    }

    private static async Task StormAsync(int proxy, DebugClient client)
    {
        List<Socket> sockets = [.. await FillAsync(proxy, client), .. await ConnectAsync(proxy, Storm)];
        await Until.TrueAsync("the storm is over", async () => await RefusedAsync(client) == Storm);
        await LeaveAsync(sockets, client);
    }

    private static async Task LeaveAsync(List<Socket> sockets, DebugClient client)
    {
        sockets.ForEach(s => s.Dispose());
        await Until.TrueAsync("they are gone", async () => await ActiveAsync(client) == 0);
    }

    /// <summary>One stream more than there may be; the others are broken off by their application.</summary>
    private static async Task ReachStreamCapAsync(int proxy, SocketTarget target, DebugClient client)
    {
        List<Socket> sockets = [];
        for (int i = 0; i < Streams; i++)
            sockets.Add(await SocksClient.ConnectAsync(proxy, "127.0.0.1", target.Port));
        await FailToConnectAsync(proxy, "127.0.0.1");
        foreach (Socket socket in sockets)
            socket.LingerState = new LingerOption(true, 0);
        await LeaveAsync(sockets, client);
    }

    private static async Task FailToConnectAsync(int proxy, string host)
    {
        (Socket socket, byte reply) = await SocksClient.TryConnectAsync(proxy, host, 1);
        socket.Dispose();
        Assert.NotEqual(SocksClient.Succeeded, reply);
    }

    /// <summary>A datagram of noise, which the server has dropped when this ends.</summary>
    private static async Task DropAsync(DebugClient server, int port, double from)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await socket.SendToAsync(new byte[50], new IPEndPoint(IPAddress.Loopback, port));
        await Until.TrueAsync("it is dropped", async () => (await server.MetricsAsync()).Sum("tunnel_drops_total", "guard") == from + 1);
    }

    /// <summary>A bad file, one that needs a restart, and then a level at which dropped datagrams have no line.</summary>
    private static async Task ReloadAsync(TunnelProcess server, DebugClient debug, int port)
    {
        server.Rewrite(Server(TunnelSettings.UdpServer(port)).With("transport.nonsense", 1).ToToml());
        await server.LineAsync("everything stays as it was");
        server.Rewrite(Server(TunnelSettings.UdpServer(port)).With("transport.kcp.sndwnd", 512).With("log.level", "debug").ToToml());
        await server.LineAsync("changed: log.level");
        await server.ReloadedAsync(2);
        int before = server.Count("dropped 50 bytes");
        await DropAsync(debug, port, from: 1);
        Assert.Equal(before, server.Count("dropped 50 bytes"));
    }

    /// <summary>Of the storm a few were written, and when its period is over, how many were not.</summary>
    private static async Task AssertRepeatsAreCountedAsync(TunnelProcess client)
    {
        Assert.EndsWith($" {Storm - Burst} {LeftOut}", await client.LineAsync(LeftOut), StringComparison.Ordinal);
        Assert.Equal(Burst, client.Count(Refused));
    }

    private static async Task<double> RefusedAsync(DebugClient client) => (await client.MetricsAsync()).Sum("tunnel_refusals_total", "max_connections");

    private static async Task<double> ActiveAsync(DebugClient client) => (await client.MetricsAsync()).Sum("tunnel_connections");

    private static void AssertLevel(TunnelProcess process, string text, string level)
    {
        string[] lines = [.. process.Lines.Where(l => l.Contains(text, StringComparison.Ordinal))];
        Assert.True(lines.Length != 0, $"{process.Name} never said \"{text}\"");
        Assert.All(lines, l => Assert.Matches($@"^[-\d]+ [:.\d]+ {level} ", l));
    }
}
