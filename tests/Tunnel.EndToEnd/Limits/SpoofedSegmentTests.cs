using System.Globalization;
using System.Text.RegularExpressions;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Limits;

/// <summary>Raw segments may come from any address that the sender likes. What they cost the server is bounded.</summary>
[Collection(nameof(SpoofedSegmentTests))]
public partial class SpoofedSegmentTests : EndToEndTest
{
    private const int Cap = 64;
    private const int Sources = 10_000;

    /// <summary>The guard lets them through; nothing is made for what the cipher does not open.</summary>
    [Theory(Timeout = Limit)]
    [InlineData("pcap")]
    [InlineData("afpacket")]
    public async Task WhoKnowsTheCookieAloneGetsNoSession(string link)
    {
        PcapPair pair = await StartPairAsync(link);
        await SpoofAsync(pair, SpoofedDatagrams.Noise, first: 0, Cap / 2);
        long before = pair.Server.ResidentBytes;
        await SpoofAsync(pair, SpoofedDatagrams.Noise, first: Cap, Sources);
        await pair.Curl.DownloadAsync(PcapPair.Target, Payload.MiB);
        AssertFlat(pair.Server, before);

        pair.Server.Terminate();
        await pair.Server.ExitAsync();
        Assert.Equal(1, pair.Server.Count("began"));
        Assert.Equal(0, Dropped("guard"));
        Assert.InRange(Dropped("cipher"), Sources * 9 / 10, Sources + Cap / 2);

        // Each of the server's receivers has a line of its own.
        int Dropped(string by) =>
            Drops().Matches(pair.Server.Text).Sum(line => int.Parse(line.Groups[by].Value, CultureInfo.InvariantCulture));
    }

    /// <summary>Whoever has the key is a client; too many of them are still too many, until those that say nothing more are forgotten.</summary>
    [Theory(Timeout = Limit)]
    [InlineData("pcap")]
    [InlineData("afpacket")]
    public async Task WhoKnowsTheKeyGetsNoMoreThanTheCap(string link)
    {
        PcapPair pair = await StartPairAsync(link);
        await SpoofAsync(pair, SpoofedDatagrams.Beginnings, first: 0, Cap / 2);
        await Until.TrueAsync("strangers have begun sessions", () => pair.Server.Count("began") > Cap / 4);
        long before = pair.Server.ResidentBytes;
        await SpoofAsync(pair, SpoofedDatagrams.Beginnings, first: Cap, Sources);
        await pair.Curl.DownloadAsync(PcapPair.Target, Payload.MiB);
        AssertFlat(pair.Server, before);
        await Until.TrueAsync("the cap is reached", () => pair.Server.Count("began") >= Cap);

        // Those that never acknowledged anything give their places; whoever has proved that it is there keeps its own.
        TunnelProcess late = await StartClientAsync(ClientSettings(link), pair.Hosts.Client);
        await late.ConnectedAsync();
        await new Curl(pair.Hosts.Client, await late.Socks5PortAsync()).DownloadAsync(PcapPair.Target, Payload.MiB);
        await pair.Curl.DownloadAsync(PcapPair.Target, Payload.MiB);
        Assert.Equal((1, 1), (pair.Client.Count("is up"), late.Count("is up")));
        Assert.NotEqual(0, pair.Server.Count("transport.kcp.max_sessions"));
    }

    private async Task<PcapPair> StartPairAsync(string link)
    {
        PcapPair pair = await PcapPair.StartAsync(
            this,
            Namespaces.ServerIPv4,
            s => s.With("network.link", link)
                .With("transport.kcp.max_sessions", Cap)
                .With("transport.kcp.keepalive", "2s")
                .With("transport.kcp.keepalive_timeout", "15s")
                .With("log.level", "info"),
            c => c["network.link"] = link);
        await pair.Curl.DownloadAsync(PcapPair.Target, Payload.MiB);
        return pair;
    }

    private static TunnelSettings ClientSettings(string link) =>
        TunnelSettings.PcapClient(Namespaces.ServerIPv4).With("network.link", link).WithSocks5();

    private async Task SpoofAsync(PcapPair pair, string datagrams, int first, int count)
    {
        ChildProcess spoofer = PcapPair.StartSelf(this, pair.Hosts.Client, "spoof", datagrams, $"{first}", $"{count}");
        int code = await spoofer.ExitAsync();
        Assert.True(code == 0, spoofer.Text);
    }

    private static void AssertFlat(TunnelProcess server, long before)
    {
        double growth = (server.ResidentBytes - before) / (double)Payload.MiB;
        Assert.True(growth < 30, $"the server grew by {growth:0.0} MiB");
    }

    [GeneratedRegex(@"dropped by guard (?<guard>\d+), by cipher (?<cipher>\d+)")]
    private static partial Regex Drops();
}
