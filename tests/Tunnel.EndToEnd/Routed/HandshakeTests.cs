using System.Globalization;
using System.Text.RegularExpressions;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Routed;

/// <summary>
/// A router whose firewall follows TCP connections strictly: it lets nothing through that no handshake opened, nor what lies outside
/// of a connection's windows.
/// </summary>
[Collection(nameof(HandshakeTests))]
public partial class HandshakeTests : EndToEndTest
{
    private const int Length = 32 * Payload.MiB;

    private const string Strict =
        "table inet strict { counter unopened { }; counter invalid { }; counter fins { }; chain forward { type filter hook forward priority 0; "
        + "tcp flags & fin == fin counter name fins; "
        + "tcp flags & (syn | ack) != syn ct state new counter name unopened drop; ct state invalid counter name invalid drop; }; }";

    private const string Masquerade =
        "table inet nat { chain postrouting { type nat hook postrouting priority 100; oifname \"" + RoutedHosts.ToServer + "\" masquerade; }; }";

    /// <summary>Lost before the firewall has seen them, and after.</summary>
    private const string Lossy =
        "table inet lossy { chain before { type filter hook prerouting priority -310; meta l4proto tcp numgen random mod 100 < 2 drop; }; "
        + "chain after { type filter hook postrouting priority 200; meta l4proto tcp numgen random mod 100 < 2 drop; }; }";

    public static TheoryData<string, string, string[]> Flows => new()
    {
        { "pcap", RoutedHosts.ServerIPv4, [] },
        { "afpacket", RoutedHosts.ServerIPv4, [] },
        { "pcap", RoutedHosts.ServerIPv4, [Masquerade] },
        { "afpacket", RoutedHosts.ServerIPv4, [Masquerade] },
        { "afpacket", $"[{RoutedHosts.ServerIPv6}]", [Masquerade] },
        { "pcap", $"[{RoutedHosts.ServerIPv6}]", [] },
    };

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Flows))]
    public async Task AStrictFirewallLetsTheFlowPassFromSynToFin(string link, string serverAddress, string[] rules)
    {
        RoutedHosts hosts = await PrepareAsync([Strict, .. rules]);
        RawTrace resets = await RawTrace.StartAsync(this, hosts.Server, PathOf("resets.pcap"), RawTrace.Resets);
        RoutedPair pair = await StartAsync(hosts, link, serverAddress);

        await pair.TransferAsync(PathOf("upload"), Length);

        Assert.Equal((0, 0), (await CountAsync(hosts, "unopened"), await CountAsync(hosts, "invalid")));
        Assert.Empty(await resets.StopAsync());
        pair.Client.Terminate();
        await pair.Client.ExitAsync();
        await Until.TrueAsync("the flow is closed from both sides", async () => await CountAsync(hosts, "fins") >= 2);
    }

    /// <summary>What is lost on the way is sent again further on in the flow: the numbers never go back, and the acknowledgements go on.</summary>
    [Theory(Timeout = Limit)]
    [InlineData("pcap")]
    [InlineData("afpacket")]
    public async Task LossDoesNotConfuseTheFirewall(string link)
    {
        RoutedHosts hosts = await PrepareAsync([Strict, Lossy]);
        RoutedPair pair = await StartAsync(hosts, link, RoutedHosts.ServerIPv4);
        await pair.TransferAsync(PathOf("upload"), 16 * Payload.MiB);
        Assert.Equal(0, await CountAsync(hosts, "invalid"));
        Assert.DoesNotContain("connecting again", pair.Client.Text);
    }

    /// <summary>Without a handshake such a firewall lets nothing through: what these tests show is not the firewall's absence.</summary>
    [Theory(Timeout = Limit)]
    [InlineData("pcap")]
    [InlineData("afpacket")]
    public async Task WithoutAHandshakeNothingPasses(string link)
    {
        RoutedHosts hosts = await PrepareAsync([Strict]);
        await StartServerAsync(TunnelSettings.PcapServer().With("network.link", link).With("network.tcp.handshake", true), hosts.Server);
        TunnelProcess client = await StartClientAsync(
            TunnelSettings.PcapClient(RoutedHosts.ServerIPv4).WithSocks5().With("network.link", link), hosts.Client);
        await client.LineAsync("trying again");
        Assert.Equal(0, client.Count("is up"));
        Assert.InRange(await CountAsync(hosts, "unopened") + await CountAsync(hosts, "invalid"), 1, int.MaxValue);
    }

    /// <summary>A server that opens flows still takes clients that do not, and one whose server does not learns what is wrong.</summary>
    [Fact(Timeout = Limit)]
    public async Task BothKindsOfClientsAreServedAndAMissingHandshakeIsNamed()
    {
        RoutedHosts hosts = await PrepareAsync([]);
        TunnelProcess stock = await StartServerAsync(TunnelSettings.PcapServer(), hosts.Server);
        TunnelSettings opening = TunnelSettings.PcapClient(RoutedHosts.ServerIPv4).WithSocks5().With("network.tcp.handshake", true);
        TunnelProcess refused = await StartClientAsync(opening, hosts.Client);
        await refused.LineAsync("no answer to the TCP handshake from 10.78.2.2:9999");
        stock.Terminate();
        await stock.ExitAsync();

        await StartServerAsync(TunnelSettings.PcapServer().With("network.tcp.handshake", true), hosts.Server);
        await refused.ConnectedAsync();
        TunnelProcess plain = await StartClientAsync(TunnelSettings.PcapClient(RoutedHosts.ServerIPv4).WithSocks5(), hosts.Client);
        await plain.ConnectedAsync();
        foreach (TunnelProcess client in new[] { refused, plain })
            await new Curl(hosts.Client, await client.Socks5PortAsync()).DownloadAsync(PcapPair.Target, Payload.MiB);
    }

    /// <summary>The firewall still knows the flow when the server has forgotten it: its answer goes on in the flow, and the client begins anew.</summary>
    [Theory(Timeout = Limit)]
    [InlineData("pcap")]
    [InlineData("afpacket")]
    public async Task ARestartedServerIsFoundAgain(string link)
    {
        RoutedHosts hosts = await PrepareAsync([Strict, Masquerade]);
        RoutedPair pair = await StartAsync(hosts, link, RoutedHosts.ServerIPv4);
        await pair.Server.KillAsync();
        await StartServerAsync(TunnelSettings.PcapServer().With("network.link", link).With("network.tcp.handshake", true), hosts.Server);
        await pair.Curl.DownloadAsync(PcapPair.Target, Payload.MiB);
        await pair.Client.ConnectedAsync(times: 2);
        Assert.Equal(1, pair.Client.Count("ended: PeerForgot"));
    }

    private async Task<RoutedHosts> PrepareAsync(string[] rules)
    {
        RoutedHosts hosts = await RoutedPair.PrepareAsync(this);
        foreach (string rule in rules)
            await hosts.FilterAsync(rule);
        foreach (string lenience in new[] { "be_liberal", "loose" })
        {
            if (rules.Contains(Strict))
                await RoutedHosts.SetAsync(hosts.Router, $"net.netfilter.nf_conntrack_tcp_{lenience}", "0");
        }

        return hosts;
    }

    private Task<RoutedPair> StartAsync(RoutedHosts hosts, string link, string serverAddress) => RoutedPair.StartAsync(
        this, hosts, serverAddress, s => s.With("network.link", link).With("network.tcp.handshake", true));

    private static async Task<int> CountAsync(RoutedHosts hosts, string counter)
    {
        string text = (await Tool.RunInAsync(hosts.Router, "nft", "list", "counter", "inet", "strict", counter)).Expect();
        return int.Parse(Packets().Match(text).Groups[1].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"packets (\d+)")]
    private static partial Regex Packets();
}
