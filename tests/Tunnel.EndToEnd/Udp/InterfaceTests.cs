using System.Globalization;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Udp;

/// <summary>Two hosts with two cables between them, both of which lead to the other's address; their routes prefer the first.</summary>
[Collection(nameof(InterfaceTests))]
public class InterfaceTests : EndToEndTest
{
    private const string First = Namespaces.Interface;
    private const string Second = "eth1";
    private const string ClientAddress = "10.77.8.8";
    private const string ServerAddress = "10.77.9.9";
    private const int Length = 4 * Payload.MiB;

    /// <summary>What the kernel says of its neighbours and what it multicasts.</summary>
    private const long Little = 64 * 1024;

    [Theory(Timeout = Limit)]
    [InlineData(null, First)]
    [InlineData(Second, Second)]
    public async Task DatagramsKeepToTheOneThatIsNamed(string? named, string used)
    {
        Namespaces hosts = await PcapPair.PrepareAsync(this, addresses: false);
        await LayAsync(hosts);
        await StartServerAsync(Change(TunnelSettings.UdpServer(TunnelSettings.ServerPort), ServerAddress, named), hosts.Server);
        TunnelSettings settings = Change(TunnelSettings.UdpClient(TunnelSettings.ServerPort), ClientAddress, named).WithSocks5();
        TunnelProcess client = await StartClientAsync(settings.With("server.address", $"{ServerAddress}:{TunnelSettings.ServerPort}"), hosts.Client);
        await client.ConnectedAsync();
        var curl = new Curl(hosts.Client, await client.Socks5PortAsync());
        await curl.DownloadAsync(PcapPair.Target, Length);
        Payload.WriteFile(PathOf("upload"), seed: 2, Length);
        Assert.Equal(Payload.Hash(2, Length), await curl.UploadAsync(PcapPair.Target, PathOf("upload")));

        foreach (string host in new[] { hosts.Client, hosts.Server })
        {
            Assert.InRange(await SentAsync(host, used), Length, long.MaxValue);
            Assert.InRange(await SentAsync(host, used == First ? Second : First), 0, Little);
        }
    }

    private static TunnelSettings Change(TunnelSettings settings, string address, string? named)
    {
        settings.With("network.ipv4.address", address);
        return named is null ? settings : settings.With("network.interface", named);
    }

    private static async Task LayAsync(Namespaces hosts)
    {
        await Ip.RunAsync(
        [
            $"link add {Second} netns {hosts.Client} type veth peer name {Second} netns {hosts.Server}",
            .. Reach(hosts.Client, host: 1, ClientAddress, peer: 2, ServerAddress),
            .. Reach(hosts.Server, host: 2, ServerAddress, peer: 1, ClientAddress),
        ]);
        // What comes by the cable that the routes do not prefer is not to be taken for a forgery.
        string[] filters = [.. new[] { "all", First, Second }.Select(where => $"net.ipv4.conf.{where}.rp_filter=0")];
        foreach (string host in new[] { hosts.Client, hosts.Server })
            (await Tool.RunInAsync(host, "sysctl", ["-q", "-w", .. filters])).Expect();
    }

    private static IEnumerable<string> Reach(string name, int host, string own, int peer, string other) =>
    [
        $"-n {name} address add {own}/32 dev lo",
        .. new[] { First, Second }.Index().SelectMany(way => (string[])
        [
            $"-n {name} address add 10.77.{way.Index}.{host}/24 dev {way.Item}",
            $"-n {name} link set {way.Item} up",
            $"-n {name} route add {other}/32 via 10.77.{way.Index}.{peer} dev {way.Item} metric {10 + way.Index}",
        ]),
    ];

    /// <summary>Bytes that a host has sent by an interface.</summary>
    private static async Task<long> SentAsync(string host, string device) => long.Parse(
        (await Tool.RunInAsync(host, "cat", $"/sys/class/net/{device}/statistics/tx_bytes")).Expect(), CultureInfo.InvariantCulture);
}
