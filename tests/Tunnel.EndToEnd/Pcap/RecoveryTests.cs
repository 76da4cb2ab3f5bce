using System.Diagnostics;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Pcap;

/// <summary>What is missing now may be there later: the client goes on by itself.</summary>
[Collection(nameof(RecoveryTests))]
public class RecoveryTests : EndToEndTest
{
    [Fact(Timeout = Limit)]
    public async Task ARestartedServerIsFoundAgain()
    {
        PcapPair pair = await StartPairAsync();
        await pair.Curl.DownloadAsync(PcapPair.Target, 100_000);
        await pair.Server.KillAsync();
        await StartServerAsync(Impatient(TunnelSettings.PcapServer()), pair.Hosts.Server);
        // The server's silence is noticed after one to two timeouts, and a try more may fall into the gap.
        await pair.Client.ConnectedAsync(times: 2, TimeSpan.FromSeconds(12));
        await pair.Curl.DownloadAsync(PcapPair.Target, 100_000);
    }

    [Fact(Timeout = Limit)]
    public async Task AServerMayComeAfterItsClient()
    {
        Namespaces hosts = await PcapPair.PrepareAsync(this);
        TunnelProcess client = await StartClientAsync(TunnelSettings.PcapClient(Namespaces.ServerIPv4).WithSocks5(), hosts.Client);
        await client.LineAsync("does not answer");
        Assert.Equal(0, client.Count("is up"));
        await StartServerAsync(TunnelSettings.PcapServer(), hosts.Server);
        await client.ConnectedAsync();
        await new Curl(hosts.Client, await client.Socks5PortAsync()).DownloadAsync(PcapPair.Target, 100_000);
    }

    [Fact(Timeout = Limit)]
    public async Task ANetworkMayComeAfterTheClient()
    {
        Namespaces hosts = await PcapPair.PrepareAsync(this, addresses: false);
        await hosts.AddAddressesAsync(hosts.Server);
        await StartServerAsync(TunnelSettings.PcapServer(), hosts.Server);
        TunnelProcess client = await StartClientAsync(TunnelSettings.PcapClient(Namespaces.ServerIPv4).WithSocks5(), hosts.Client);
        await client.LineAsync("there is no route to");
        await hosts.AddAddressesAsync(hosts.Client);
        await client.ConnectedAsync();
        await new Curl(hosts.Client, await client.Socks5PortAsync()).DownloadAsync(PcapPair.Target, 100_000);
    }

    /// <summary>For longer than the keepalive waits; what a shorter absence does is another test's.</summary>
    [Fact(Timeout = Limit)]
    public async Task AnInterfaceMayStayDownForLong()
    {
        PcapPair pair = await StartPairAsync();
        await LinkAsync(pair.Hosts.Client, "down");
        await pair.Client.LineAsync("down");
        await pair.Client.LineAsync("the session ended");
        await LinkAsync(pair.Hosts.Client, "up");
        // Taking an interface down drops its IPv6 addresses, and only those.
        await pair.Client.ConnectedAsync(times: 2);
        await pair.Curl.DownloadAsync(PcapPair.Target, 100_000);
    }

    [Fact(Timeout = Limit)]
    public async Task ClientsThatComeWhileTheServerIsAwayFillNoMemory()
    {
        PcapPair pair = await StartPairAsync(c => c["transport.open_timeout"] = "1s");
        await Task.WhenAll(Enumerable.Range(1, 8).Select(i => pair.Curl.DownloadAsync(PcapPair.Target, Payload.MiB, seed: i)));
        await pair.Server.KillAsync();
        await pair.Client.LineAsync("the session ended");
        await HammerAsync(pair, TimeSpan.FromSeconds(3));
        long before = pair.Client.ResidentBytes;
        int refused = await HammerAsync(pair, TimeSpan.FromSeconds(8));
        // Or it would not have been much of a crowd.
        Assert.InRange(refused, 500, int.MaxValue);
        Assert.InRange(pair.Client.Count("no session with the server"), 10, refused);
        double growth = (pair.Client.ResidentBytes - before) / (double)Payload.MiB;
        Assert.True(growth < 30, $"the client grew by {growth:0.0} MiB");
    }

    private Task<PcapPair> StartPairAsync(Action<TunnelSettings>? changeClient = null) => PcapPair.StartAsync(
        this,
        Namespaces.ServerIPv4,
        s => Impatient(s),
        c =>
        {
            Impatient(c);
            changeClient?.Invoke(c);
        });

    private static TunnelSettings Impatient(TunnelSettings settings) => settings
        .With("transport.kcp.keepalive", "1s")
        .With("transport.kcp.keepalive_timeout", "3s");

    /// <summary>Two hundred connections at a time; all of them must be told that it does not work, within their time. How many there were.</summary>
    private static async Task<int> HammerAsync(PcapPair pair, TimeSpan duration)
    {
        const int AtATime = 200;
        int refused = 0;
        string proxy = $"127.0.0.1:{await pair.Client.Socks5PortAsync()}";
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < duration)
        {
            ToolResult result = await Tool.RunInAsync(
                pair.Hosts.Client, "curl", "--silent", "--max-time", "10", "--parallel", "--parallel-immediate", "--parallel-max", $"{AtATime}",
                "--socks5-hostname", proxy, "--output", "/dev/null", $"http://{PcapPair.Target}/[1-{AtATime}]/1");
            // 97: curl was refused by the proxy, where 28 would be a time that ran out.
            Assert.Equal(97, result.ExitCode);
            refused += AtATime;
        }

        return refused;
    }

    private static async Task LinkAsync(string host, string state) =>
        (await Tool.RunAsync("ip", "-n", host, "link", "set", Namespaces.Interface, state)).Expect();
}
