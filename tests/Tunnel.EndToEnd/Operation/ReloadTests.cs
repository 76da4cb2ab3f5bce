using System.Net.Sockets;
using Tunnel.EndToEnd.Diagnostics;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Operation;

/// <summary>A changed file takes effect while sessions and connections go on.</summary>
[Collection(nameof(ReloadTests))]
public class ReloadTests : EndToEndTest
{
    private const byte NotAllowed = 2;
    private const string Taken = "was read again";

    [Fact(Timeout = Limit)]
    public async Task ListenersAndUsersFollowAndConnectionsGoOn()
    {
        SocketTarget first = Own(SocketTarget.StartEcho()), second = Own(SocketTarget.StartEcho());
        int port = FreeUdpPort();
        await StartServerAsync(TunnelSettings.UdpServer(port));
        TunnelProcess client = await StartClientAsync(
            TunnelSettings.UdpClient(port).WithSocks5().WithForward(first.Address).WithForward(second.Address, "127.0.0.2:0"));
        int socks = await client.Socks5PortAsync(), stays = await client.ForwardPortAsync(), goes = await client.ListenPortAsync("forward", 1);
        using Socket running = await EchoAsync(stays);
        using Socket orphan = await SocksClient.ConnectDirectlyAsync(goes, "127.0.0.2");
        await EchoAsync(orphan);

        client.Rewrite(TunnelSettings.UdpClient(port)
            .WithSocks5(username: "me", password: "secret")
            .WithForward(second.Address)
            .WithForward(first.Address, "127.0.0.3:0")
            .ToToml());
        client.HangUp();
        await client.LineAsync($"{Taken}; changed: [[socks5]], [[forward]]");
        await client.ReloadedAsync();
        await client.LineAsync($"listens on 127.0.0.2:{goes} no more");

        // The one that changed its target keeps its port and its connections.
        (int ofFirst, int ofSecond) = (first.Accepted, second.Accepted);
        (await EchoAsync(stays)).Dispose();
        Assert.Equal((ofFirst, ofSecond + 1), (first.Accepted, second.Accepted));
        (await EchoAsync(await client.ListenPortAsync("forward", 2), "127.0.0.3")).Dispose();
        Assert.Equal(ofFirst + 1, first.Accepted);
        await Assert.ThrowsAsync<SocketException>(() => SocksClient.ConnectDirectlyAsync(goes, "127.0.0.2"));
        using Socket nobody = await SocksClient.ConnectDirectlyAsync(socks);
        await nobody.SendAllAsync(new byte[] { 5, 1, 0 });
        Assert.Equal([5, 0xFF], await nobody.ReceiveExactlyAsync(2));
        await EchoAsync(running);
        await EchoAsync(orphan);
        Assert.Equal((1, 0), (client.Count("is up"), client.Count("ended")));
    }

    /// <summary>Without a signal: that the file was replaced is enough.</summary>
    [Fact(Timeout = Limit)]
    public async Task TheServersPolicyAndLimitsFollowTheFile()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        int port = FreeUdpPort();
        UdpPair pair = await UdpPair.StartAsync(this, port);
        int socks = await pair.Client.Socks5PortAsync();
        using Socket running = await SocksClient.ConnectAsync(socks, "127.0.0.1", target.Port);
        await EchoAsync(running);

        pair.Server.Rewrite(TunnelSettings.UdpServer(port).With("targets.deny", TunnelSettings.List("127.0.0.0/8")).ToToml());
        await pair.Server.LineAsync($"{Taken}; changed: targets.deny");
        await pair.Server.ReloadedAsync();
        Assert.Equal(NotAllowed, await ReplyAsync(socks, target));

        pair.Server.Rewrite(TunnelSettings.UdpServer(port).With("transport.kcp.max_streams_per_session", 1).ToToml());
        await pair.Server.LineAsync($"{Taken}; changed: targets.deny, transport.kcp.max_streams_per_session");
        await pair.Server.ReloadedAsync(2);
        Assert.NotEqual(SocksClient.Succeeded, await ReplyAsync(socks, target));

        pair.Server.Rewrite(TunnelSettings.UdpServer(port).ToToml());
        await pair.Server.LineAsync($"{Taken}; changed: transport.kcp.max_streams_per_session");
        await pair.Server.ReloadedAsync(3);
        Assert.Equal(SocksClient.Succeeded, await ReplyAsync(socks, target));
        await EchoAsync(running);
        Assert.Equal((1, 0), (pair.Server.Count("began"), pair.Server.Count("ended")));
    }

    /// <summary>As Kubernetes mounts a ConfigMap: the file is a link into a linked folder, which is swapped as a whole.</summary>
    [Fact(Timeout = Limit)]
    public async Task ASwappedLinkIsSeen()
    {
        int port = FreeUdpPort();
        string mount = Directory.CreateDirectory(PathOf("mount")).FullName, file = Path.Combine(mount, "server.toml");
        void Swap(string version, string level)
        {
            string folder = Directory.CreateDirectory(Path.Combine(mount, version)).FullName;
            File.WriteAllText(Path.Combine(folder, "server.toml"), TunnelSettings.UdpServer(port).With("log.level", level).ToToml());
            File.CreateSymbolicLink(Path.Combine(mount, "..tmp"), version);
            // Directory.Move would move the folder that the link shows.
            Tool.RunAsync("mv", "-T", Path.Combine(mount, "..tmp"), Path.Combine(mount, "..data")).GetAwaiter().GetResult().Expect();
        }

        Swap("..1", "info");
        File.CreateSymbolicLink(file, Path.Combine("..data", "server.toml"));
        TunnelProcess server = LaunchWith([Binaries.Server], file);
        await server.ReadyAsync();
        Swap("..2", "debug");
        await server.LineAsync($"{Taken}; changed: log.level");
    }

    [Fact(Timeout = Limit)]
    public async Task ABadFileChangesNothingAndAllItsErrorsAreNamed()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        int port = FreeUdpPort();
        UdpPair pair = await UdpPair.StartAsync(this, port);
        pair.Server.Rewrite(TunnelSettings.UdpServer(port)
            .With("targets.deny", TunnelSettings.List("127.0.0.0/8"))
            .With("transport.kcp.max_sessions", 0)
            .With("transport.nonsense", 1)
            .ToToml());
        await pair.Server.LineAsync("has 2 errors; everything stays as it was");
        Assert.Matches(@"\.toml:\d+:\d+: transport\.kcp\.max_sessions: 0 is out of range", pair.Server.Text);
        Assert.Matches(@"\.toml:\d+:\d+: transport\.nonsense: unknown key", pair.Server.Text);

        // Whoever asks about a file that is known hears of it in one line.
        pair.Server.HangUp();
        await pair.Server.LineAsync("has not changed since its errors were logged, and everything stays as it was; the first was ");
        Assert.Equal((1, 1, 2), (pair.Server.Count("has 2 errors"), pair.Server.Count("unknown key"), pair.Server.Count("is out of range")));
        pair.Server.Rewrite(TunnelSettings.UdpServer(port).With("targets.deny", TunnelSettings.List("127.0.0.0/8")).With("transport.nonsense", 1).ToToml());
        await pair.Server.LineAsync("has 1 error; everything stays as it was");
        await pair.Server.ReloadedAsync(3);
        Assert.Equal(SocksClient.Succeeded, await ReplyAsync(await pair.Client.Socks5PortAsync(), target));
    }

    [Fact(Timeout = Limit)]
    public async Task WhatNeedsARestartIsNamedAndChangesNothing()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        int port = FreeUdpPort();
        string keyFile = PathOf("tunnel.key");
        void WriteKey(string key) => File.WriteAllText(keyFile, key);
        TunnelSettings Server() => TunnelSettings.UdpServer(port).Without("transport.kcp.key").With("transport.kcp.key_file", keyFile);
        WriteKey(TunnelSettings.Key);
        TunnelProcess server = await StartServerAsync(Server().With("debug.pprof", "127.0.0.1:0"));
        TunnelProcess client = await StartClientAsync(TunnelSettings.UdpClient(port).WithSocks5());
        await client.ConnectedAsync();

        WriteKey("another key");
        await server.LineAsync("transport.kcp.key_file has changed and needs a restart");
        server.Rewrite(Server().With("debug.pprof", "127.0.0.1:0").With("listen.port", port + 1).With("transport.kcp.rcvwnd", 100).ToToml());
        await server.LineAsync("listen.port has changed and needs a restart");
        await server.LineAsync("transport.kcp.rcvwnd has changed and needs a restart");
        await server.ReloadedAsync(2);
        using (DebugClient debug = await DebugClient.ToAsync(server))
            Assert.Contains($"\nport = {port}\n# awaits a restart: port = {port + 1}\n", await debug.GetAsync("/config"));
        Assert.Equal(SocksClient.Succeeded, await ReplyAsync(await client.Socks5PortAsync(), target));

        client.Rewrite(TunnelSettings.UdpClient(port).WithSocks5().With("transport.conn", 2).ToToml());
        await client.LineAsync("transport.conn has changed and needs a restart");
        await client.ReloadedAsync();
        Assert.Equal(SocksClient.Succeeded, await ReplyAsync(await client.Socks5PortAsync(), target));
        Assert.DoesNotContain(TunnelSettings.Key, server.Text);
    }

    [Fact(Timeout = Limit)]
    public async Task AnotherServerIsUsedAndStreamsOfTheOldOneGoOn()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        int first = FreeUdpPort(), second = FreeUdpPort();
        TunnelProcess before = await StartServerAsync(TunnelSettings.UdpServer(first));
        TunnelProcess after = await StartServerAsync(TunnelSettings.UdpServer(second));
        TunnelProcess client = await StartClientAsync(TunnelSettings.UdpClient(first).WithSocks5());
        await client.ConnectedAsync();
        using (Socket running = await SocksClient.ConnectAsync(await client.Socks5PortAsync(), "localhost", target.Port))
        {
            client.Rewrite(TunnelSettings.UdpClient(second).WithSocks5().ToToml());
            await client.ConnectedAsync(times: 2);
            await after.LineAsync("began");
            await running.SendTextAsync("hello");
            Assert.Equal("hello", await running.ReceiveTextAsync(5));
            Assert.Equal(SocksClient.Succeeded, await ReplyAsync(await client.Socks5PortAsync(), target));
            Assert.Equal(0, before.Count("ended"));
        }

        await before.LineAsync("ended");
    }

    [Fact(Timeout = Limit)]
    public async Task SystemdIsToldThatAReloadBeganAndEnded()
    {
        TunnelProcess server = await StartServerAsync(TunnelSettings.UdpServer(FreeUdpPort()));
        server.HangUp();
        await Until.TrueAsync("the reload has ended", () => server.WasNotified("READY=1\nSTATUS="));
        lock (server.Notifications)
        {
            Assert.Matches(@"^RELOADING=1\nMONOTONIC_USEC=\d+$", server.Notifications[1]);
            Assert.Equal(["READY=1", "READY=1\nSTATUS="], server.Notifications.Where(n => n.StartsWith("READY")));
        }

        server.Rewrite("nonsense");
        await Until.TrueAsync("the error is in the status", () =>
        {
            lock (server.Notifications)
                return server.Notifications.Any(n => n.Contains("STATUS=") && n.Contains("has errors"));
        });
    }

    private static async Task<byte> ReplyAsync(int socks, SocketTarget target)
    {
        (Socket socket, byte reply) = await SocksClient.TryConnectAsync(socks, "127.0.0.1", target.Port);
        socket.Dispose();
        return reply;
    }

    private static async Task<Socket> EchoAsync(int port, string address = "127.0.0.1")
    {
        Socket socket = await SocksClient.ConnectDirectlyAsync(port, address);
        await EchoAsync(socket);
        return socket;
    }

    private static async Task EchoAsync(Socket socket)
    {
        await socket.SendTextAsync("hello");
        Assert.Equal("hello", await socket.ReceiveTextAsync(5));
    }
}
