using System.Net;
using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Reverse;

/// <summary>A target behind the client, reached through a listener at the server, with real processes.</summary>
[Collection(nameof(ReverseTests))]
public class ReverseTests : EndToEndTest
{
    [Theory(Timeout = Limit)]
    [InlineData("127.0.0.1", 1)]
    [InlineData("127.0.0.1", 2)]
    [InlineData("[::1]", 1)]
    public async Task AnHttpServerBehindTheClientIsReachedAtTheServer(string address, int conn)
    {
        Requires.Tool("curl");
        using HttpTarget target = HttpTarget.Start();
        string listen = $"{address}:{FreeTcpPort()}";
        UdpPair pair = await StartAsync(FreeUdpPort(), listen, target.Port, c => c["transport.conn"] = conn);
        await pair.Client.ConnectedAsync(times: conn);
        await pair.Client.LineAsync($"listens on {listen}");
        for (int i = 1; i <= 4; i++)
            await ExchangeAsync(listen, seed: i);
        Assert.Equal(1, pair.Server.Count("reverse listens on"));
    }

    [Fact(Timeout = Limit)]
    public async Task WhatTheServerDoesNotAllowIsSaidAtBothEnds()
    {
        int port = FreeUdpPort();
        string listen = $"127.0.0.1:{FreeTcpPort()}";
        TunnelProcess server = await StartServerAsync(
            TunnelSettings.UdpServer(port).With("reverse.allow", TunnelSettings.List("127.0.0.1:1-1023", "10.0.0.0/8")));
        TunnelProcess client = await StartClientAsync(TunnelSettings.UdpClient(port).WithReverse(listen, "127.0.0.1:80"));
        await client.LineAsync($"reverse {listen}: the server does not allow it");
        await server.LineAsync($"may not have reverse listen on {listen}: NotAllowed");
    }

    [Fact(Timeout = Limit)]
    public async Task APortThatIsTakenIsTriedAgain()
    {
        Requires.Tool("curl");
        using HttpTarget target = HttpTarget.Start();
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        string listen = $"{other.LocalEndPoint}";
        UdpPair pair = await StartAsync(FreeUdpPort(), listen, target.Port);
        await pair.Client.LineAsync($"reverse {listen}: the address is in use at the server");
        other.Dispose();
        await pair.Client.LineAsync($"listens on {listen}");
        await ExchangeAsync(listen);
    }

    /// <summary>A client that died left a session that the server still believes in: it is asked whether it lives, and does not answer.</summary>
    [Theory(Timeout = Limit)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AClientThatIsStartedAgainHasItsListenerBack(bool dies)
    {
        Requires.Tool("curl");
        using HttpTarget target = HttpTarget.Start();
        int port = FreeUdpPort();
        string listen = $"127.0.0.1:{FreeTcpPort()}";
        // So that it is not the keepalive that helps.
        UdpPair pair = await StartAsync(port, listen, target.Port, changeServer: s => s["transport.kcp.keepalive_timeout"] = "10m");
        await pair.Client.LineAsync($"listens on {listen}");
        await ExchangeAsync(listen);
        if (dies)
            await pair.Client.KillAsync();
        else
            pair.Client.Terminate();
        await pair.Client.ExitAsync();

        TunnelProcess again = await StartClientAsync(TunnelSettings.UdpClient(port).WithReverse(listen, $"127.0.0.1:{target.Port}"));
        await again.LineAsync($"listens on {listen}");
        await ExchangeAsync(listen);
    }

    [Theory(Timeout = Limit)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AServerThatIsStartedAgainListensAgain(bool dies)
    {
        Requires.Tool("curl");
        using HttpTarget target = HttpTarget.Start();
        int port = FreeUdpPort();
        string listen = $"127.0.0.1:{FreeTcpPort()}";
        UdpPair pair = await StartAsync(port, listen, target.Port, c => c["transport.kcp.keepalive"] = "1s");
        await pair.Client.LineAsync($"listens on {listen}");
        if (dies)
            await pair.Server.KillAsync();
        else
            pair.Server.Terminate();
        await pair.Server.ExitAsync();
        TunnelProcess server = await StartServerAsync(Server(port));
        await server.LineAsync($"reverse listens on {listen}");
        await ExchangeAsync(listen);
    }

    [Fact(Timeout = Limit)]
    public async Task TheServerStopsListeningWhenTheClientSaysGoodbye()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        string listen = $"127.0.0.1:{FreeTcpPort()}";
        UdpPair pair = await StartAsync(FreeUdpPort(), listen, target.Port);
        await pair.Client.LineAsync($"listens on {listen}");
        pair.Client.Terminate();
        await pair.Client.ExitAsync();
        await pair.Server.LineAsync($"reverse no longer listens on {listen}");
        await Assert.ThrowsAsync<SocketException>(() => SocksClient.ConnectDirectlyAsync(IPEndPoint.Parse(listen).Port));
    }

    /// <summary>Two hosts: the wire is raw TCP segments over IPv6, the listener the server's own address.</summary>
    [Fact(Timeout = Limit)]
    public async Task OverRawSegmentsBetweenTwoHosts()
    {
        Namespaces hosts = await PcapPair.PrepareAsync(this);
        ChildProcess behindClient = StartProcess(
            hosts.Client, Environment.ProcessPath!, [.. PcapPair.SelfArguments(), "serve-http", "8100"]);
        await behindClient.LineAsync(HttpTargetProgram.ReadyLine);
        string listen = $"[{Namespaces.ServerIPv6}]:8200";
        TunnelSettings serverSettings = TunnelSettings.PcapServer().With("reverse.allow", TunnelSettings.List($"{Namespaces.ServerIPv6}/128"));
        await StartServerAsync(serverSettings, hosts.Server);
        TunnelProcess client = await StartClientAsync(
            TunnelSettings.PcapClient($"[{Namespaces.ServerIPv6}]").WithReverse(listen, "127.0.0.1:8100"), hosts.Client);
        await client.LineAsync($"listens on {listen}");
        ToolResult result = await Tool.RunInAsync(
            hosts.Server, "curl", ["--silent", "--show-error", "--fail", "--globoff", "--max-time", "60", $"http://{listen}/5/{4 * Payload.MiB}"], Payload.HashAsync);
        result.Expect();
        Assert.Equal(Payload.Hash(5, 4 * Payload.MiB), result.Output);
    }

    /// <summary>
    /// A backlog is cut to net.core.somaxconn when a socket begins to listen. At a reload it listens again and loses nobody: not who is
    /// connected, and not the listener itself.
    /// </summary>
    [Fact(Timeout = Limit)]
    public async Task AReloadTakesALongerBacklogAndLosesNobody()
    {
        Namespaces hosts = await PcapPair.PrepareAsync(this);
        ChildProcess behindClient = StartProcess(
            hosts.Client, Environment.ProcessPath!, [.. PcapPair.SelfArguments(), "serve-http", "8100"]);
        await behindClient.LineAsync(HttpTargetProgram.ReadyLine);
        await SetBacklogAsync(hosts.Server, 17);
        TunnelProcess server = await StartServerAsync(TunnelSettings.PcapServer().With("reverse.allow", TunnelSettings.List("127.0.0.0/8")), hosts.Server);
        const string listen = "127.0.0.1:8200";
        TunnelProcess client = await StartClientAsync(
            TunnelSettings.PcapClient(Namespaces.ServerIPv4).WithReverse(listen, "127.0.0.1:8100"), hosts.Client);
        await client.LineAsync($"listens on {listen}");
        Assert.Equal(17, await BacklogAsync(hosts.Server, listen));

        await SetBacklogAsync(hosts.Server, 33);
        // Slow enough to be under way at the reload.
        Task<ToolResult> running = DownloadAsync(hosts.Server, listen, 8 * Payload.MiB, "--limit-rate", "4M");
        server.HangUp();
        await Until.TrueAsync("the listener's backlog is 33", async () => await BacklogAsync(hosts.Server, listen) == 33);
        Assert.Equal(Payload.Hash(5, Payload.MiB), (await DownloadAsync(hosts.Server, listen, Payload.MiB)).Expect());
        Assert.Equal(Payload.Hash(5, 8 * Payload.MiB), (await running).Expect());
        Assert.Equal((1, 0), (server.Count("reverse listens on"), server.Count("ended")));
    }

    private static async Task SetBacklogAsync(string host, int connections) =>
        (await Tool.RunInAsync(host, "sysctl", "-q", "-w", $"net.core.somaxconn={connections}")).Expect();

    /// <summary>What the kernel made of it: a listening socket's Send-Q.</summary>
    private static async Task<int> BacklogAsync(string host, string listen)
    {
        string text = (await Tool.RunInAsync(host, "ss", "--no-header", "--listening", "--tcp", "--numeric", "src", listen)).Expect();
        return int.Parse(text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[2], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static Task<ToolResult> DownloadAsync(string host, string listen, int length, params string[] more) => Tool.RunInAsync(
        host, "curl", ["--silent", "--show-error", "--fail", "--max-time", "60", .. more, $"http://{listen}/5/{length}"], Payload.HashAsync);

    private Task<UdpPair> StartAsync(
        int port, string listen, int target, Action<TunnelSettings>? changeClient = null, Action<TunnelSettings>? changeServer = null) =>
        UdpPair.StartAsync(
            this,
            port,
            s =>
            {
                s["reverse.allow"] = TunnelSettings.List("127.0.0.0/8", "[::1]:1024-65535");
                changeServer?.Invoke(s);
            },
            c =>
            {
                c.WithReverse(listen, $"127.0.0.1:{target}");
                changeClient?.Invoke(c);
            });

    private static TunnelSettings Server(int port) =>
        TunnelSettings.UdpServer(port).With("reverse.allow", TunnelSettings.List("127.0.0.0/8", "[::1]:1024-65535"));

    /// <summary>A file down and another up, compared by their hashes.</summary>
    private async Task ExchangeAsync(string listen, int seed = 1)
    {
        const int length = 2 * Payload.MiB;
        string[] common = ["--silent", "--show-error", "--fail", "--globoff", "--max-time", "60"];
        ToolResult down = await Tool.RunInAsync(null, "curl", [.. common, $"http://{listen}/{seed}/{length}"], Payload.HashAsync);
        down.Expect();
        Assert.Equal(Payload.Hash(seed, length), down.Output);
        string file = PathOf("upload");
        Payload.WriteFile(file, seed + 100, length);
        ToolResult up = await Tool.RunAsync("curl", [.. common, "--upload-file", file, "--header", "Expect:", $"http://{listen}/"]);
        Assert.Equal(Payload.Hash(seed + 100, length), up.Expect());
    }

    private static int FreeTcpPort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
