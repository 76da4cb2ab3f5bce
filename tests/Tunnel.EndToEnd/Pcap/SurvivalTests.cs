using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Pcap;

/// <summary>Sessions outlive the link that they began on: what an application has open goes on over the next one.</summary>
[Collection(nameof(SurvivalTests))]
public class SurvivalTests : EndToEndTest
{
    private const long Pace = 8 * Payload.MiB;
    private const long Length = 4 * Pace;

    /// <summary>Longer than it takes for silence to be noticed and another session to be asked for.</summary>
    private static readonly TimeSpan Outage = TimeSpan.FromSeconds(4);

    [Theory(Timeout = Limit)]
    [InlineData("auto")]
    [InlineData("pcap")]
    public async Task AServerMovesWithTheDefaultRoute(string link)
    {
        TwoWayHosts hosts = await TwoWayHosts.CreateAsync(this);
        await PcapPair.StartTargetAsync(this, hosts.Server);
        TunnelProcess server = await StartServerAsync(TunnelSettings.PcapServer().With("network.link", link), hosts.Server);
        TunnelProcess client = await StartClientAsync(
            TunnelSettings.PcapClient(TwoWayHosts.ServerAddress).With("network.link", link).WithSocks5(), hosts.Client);
        await client.ConnectedAsync();
        var curl = new Curl(hosts.Client, await client.Socks5PortAsync());
        Task download = curl.DownloadSlowlyAsync(PcapPair.Target, Length, Pace);
        await Until.TrueAsync("the download is under way", async () => await hosts.SentAsync(TwoWayHosts.FirstWay) > Payload.MiB);

        await hosts.UseAsync(TwoWayHosts.SecondWay);
        await server.LineAsync("moves from eth0 to eth1");
        await download;
        Assert.True(await hosts.SentAsync(TwoWayHosts.SecondWay) > Payload.MiB);
        Assert.Equal((1, 1), (client.Count("is up"), server.Count("began")));

        await hosts.UseAsync(TwoWayHosts.FirstWay);
        await server.LineAsync("moves from eth1 to eth0");
        await curl.DownloadAsync(PcapPair.Target, Payload.MiB);
        Assert.Equal((1, 1), (client.Count("is up"), server.Count("began")));
        Assert.Equal(2, server.Count("moves from"));
    }

    [Fact(Timeout = Limit)]
    public async Task AServerStaysOnTheInterfaceThatItsFileNames()
    {
        TwoWayHosts hosts = await TwoWayHosts.CreateAsync(this);
        await PcapPair.StartTargetAsync(this, hosts.Server);
        TunnelProcess named = await StartServerAsync(
            TunnelSettings.PcapServer().With("network.interface", TwoWayHosts.FirstWay), hosts.Server);
        // Its twin shows when the change has been noticed.
        TunnelProcess follower = await StartServerAsync(
            TunnelSettings.PcapServer().With("listen.port", TunnelSettings.ServerPort + 1), hosts.Server);
        await hosts.UseAsync(TwoWayHosts.SecondWay);
        await follower.LineAsync("moves from");
        await hosts.UseAsync(TwoWayHosts.FirstWay);
        await follower.LineAsync("moves from", times: 2);
        Assert.Equal(0, named.Count("moves"));
        TunnelProcess client = await StartClientAsync(TunnelSettings.PcapClient(TwoWayHosts.ServerAddress).WithSocks5(), hosts.Client);
        await client.ConnectedAsync();
    }

    [Theory(Timeout = Limit)]
    [InlineData("auto", true)]
    [InlineData("auto", false)]
    [InlineData("pcap", true)]
    [InlineData("pcap", false)]
    public async Task AConnectionOutlivesAnInterfaceThatGoesDownAndUp(string link, bool atServer)
    {
        PcapPair pair = await PcapPair.StartAsync(
            this, Namespaces.ServerIPv4, s => s["network.link"] = link, c => c["network.link"] = link);
        Task download = pair.Curl.DownloadSlowlyAsync(PcapPair.Target, Length, Pace);
        await Until.TrueAsync("the download is under way", async () => await ReceivedAsync(pair.Hosts.Client) > Payload.MiB);
        string host = atServer ? pair.Hosts.Server : pair.Hosts.Client;
        TunnelProcess process = atServer ? pair.Server : pair.Client;

        await LinkAsync(host, "down");
        await process.LineAsync("down");
        await Task.Delay(Outage);
        Assert.False(download.IsCompleted);
        await LinkAsync(host, "up");
        await download;
        // That the connection went on shows that its session did. For new streams there may be another by then: silence asks for one.
        Assert.Equal((0, 0), (pair.Client.Count("KeepAliveTimeout"), pair.Server.Count("KeepAliveTimeout")));
    }

    private static async Task LinkAsync(string host, string state) =>
        (await Tool.RunAsync("ip", "-n", host, "link", "set", Namespaces.Interface, state)).Expect();

    private static async Task<long> ReceivedAsync(string host) =>
        long.Parse((await Tool.RunInAsync(host, "cat", $"/sys/class/net/{Namespaces.Interface}/statistics/rx_bytes")).Expect());
}
