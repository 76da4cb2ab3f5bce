using System.Net.Sockets;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Operation;

/// <summary>A client's network breaks and comes back: sessions outlive it if it is short, and are replaced if it is not.</summary>
[Collection(nameof(OutageTests))]
public class OutageTests : EndToEndTest
{
    private const long Pace = 4 * Payload.MiB;
    private const long Length = 5 * Pace;
    private const string RouterPort = "clients";

    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(4);

    [Fact(Timeout = Limit)]
    public async Task ACableThatIsPulledForAWhileEndsNothing()
    {
        TwoWayHosts hosts = await TwoWayHosts.CreateAsync(this);
        TunnelProcess client = await StartAsync(hosts, keepAliveTimeout: "30s");
        Task download = await BeginDownloadAsync(hosts, client);
        await RouterAsync(hosts, "link", "set", RouterPort, "down");
        await Task.Delay(Outage);
        Assert.False(download.IsCompleted);
        await RouterAsync(hosts, "link", "set", RouterPort, "up");
        await download;
        Assert.Equal((1, 0), (client.Count("is up"), client.Count("ended")));
    }

    /// <summary>Longer than the keepalive's patience: whoever comes when the network is back is served soon.</summary>
    [Fact(Timeout = Limit)]
    public async Task ACableThatIsPulledForTooLongCostsTheSessionOnly()
    {
        TwoWayHosts hosts = await TwoWayHosts.CreateAsync(this);
        TunnelProcess client = await StartAsync(hosts, keepAliveTimeout: "3s");
        var curl = new Curl(hosts.Client, await client.Socks5PortAsync());
        await curl.DownloadAsync(PcapPair.Target, 1000);
        await RouterAsync(hosts, "link", "set", RouterPort, "down");
        await client.LineAsync("the session ended (KeepAliveTimeout)");
        await RouterAsync(hosts, "link", "set", RouterPort, "up");
        Task download = curl.DownloadAsync(PcapPair.Target, 1000);
        await client.ConnectedAsync(times: 2, TimeSpan.FromSeconds(5));
        await download;
    }

    /// <summary>A client that was stopped, with its machine perhaps, for longer than it waits for a server: the silence was its own.</summary>
    [Fact(Timeout = Limit)]
    public async Task AClientThatWasStoppedGoesOnWithItsSession()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        UdpPair pair = await UdpPair.StartAsync(
            this, FreeUdpPort(), s => Keep(s, "60s"), c => Keep(c, "2s"));
        using Socket socket = await SocksClient.ConnectAsync(await pair.Client.Socks5PortAsync(), "127.0.0.1", target.Port);
        await socket.SendTextAsync("before");
        Assert.Equal("before", await socket.ReceiveTextAsync(6));
        for (int i = 0; i < 3; i++)
        {
            pair.Client.Pause();
            await Task.Delay(Outage);
            pair.Client.Resume();
            await socket.SendTextAsync("after");
            Assert.Equal("after", await socket.ReceiveTextAsync(5));
        }

        Assert.Equal((1, 0), (pair.Client.Count("is up"), pair.Client.Count("ended")));

        static TunnelSettings Keep(TunnelSettings settings, string timeout) =>
            settings.With("transport.kcp.keepalive", "1s").With("transport.kcp.keepalive_timeout", timeout);
    }

    /// <summary>Another router in the place of the first: the same address, another Ethernet address. Nothing that goes to the old one arrives.</summary>
    [Fact(Timeout = Limit)]
    public async Task AnotherGatewayIsFollowed()
    {
        TwoWayHosts hosts = await TwoWayHosts.CreateAsync(this);
        TunnelProcess client = await StartAsync(hosts, keepAliveTimeout: "30s");
        Task download = await BeginDownloadAsync(hosts, client);
        await RouterAsync(hosts, "link", "set", RouterPort, "address", "02:00:00:00:07:07");
        Assert.False(download.IsCompleted);
        await download;
        await new Curl(hosts.Client, await client.Socks5PortAsync()).DownloadAsync(PcapPair.Target, Payload.MiB);
        Assert.Equal((1, 0), (client.Count("is up"), client.Count("ended")));
    }

    private async Task<TunnelProcess> StartAsync(TwoWayHosts hosts, string keepAliveTimeout)
    {
        TunnelSettings Patient(TunnelSettings settings) => settings
            .With("transport.kcp.keepalive", "1s")
            .With("transport.kcp.keepalive_timeout", keepAliveTimeout);
        await PcapPair.StartTargetAsync(this, hosts.Server);
        await StartServerAsync(Patient(TunnelSettings.PcapServer()), hosts.Server);
        TunnelProcess client = await StartClientAsync(
            Patient(TunnelSettings.PcapClient(TwoWayHosts.ServerAddress)).WithSocks5(), hosts.Client);
        await client.ConnectedAsync();
        return client;
    }

    private static async Task<Task> BeginDownloadAsync(TwoWayHosts hosts, TunnelProcess client)
    {
        Task download = new Curl(hosts.Client, await client.Socks5PortAsync()).DownloadSlowlyAsync(PcapPair.Target, Length, Pace);
        await Until.TrueAsync("the download is under way", async () => await hosts.SentAsync(TwoWayHosts.FirstWay) > Payload.MiB);
        return download;
    }

    private static async Task RouterAsync(TwoWayHosts hosts, params string[] arguments) =>
        (await Tool.RunAsync("ip", ["-n", hosts.Router, .. arguments])).Expect();
}
