using System.Text.RegularExpressions;
using Tunnel.App.Hosting;
using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Routed;

/// <summary>Paths that carry less than the links at their ends, behind a router that does not say so; and links that are too small.</summary>
[Collection(nameof(PathMtuTests))]
public partial class PathMtuTests : EndToEndTest
{
    private const int Length = 16 * Payload.MiB;

    public static TheoryData<string, int, string> Paths => new()
    {
        { "pcap", 1492, RoutedHosts.ServerIPv4 },
        { "afpacket", 1400, RoutedHosts.ServerIPv4 },
        { "afpacket", 1280, $"[{RoutedHosts.ServerIPv6}]" },
        { "udp", 1280, RoutedHosts.ServerIPv4 },
        { "udp", 1492, $"[{RoutedHosts.ServerIPv6}]" },
    };

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Paths))]
    public async Task WhatANarrowPathCarriesIsFoundOut(string link, int mtu, string serverAddress)
    {
        RoutedHosts hosts = await RoutedPair.PrepareAsync(this);
        await hosts.NarrowAsync(mtu);
        await hosts.BeSilentAsync();
        RoutedPair pair = await RoutedPair.StartAsync(this, hosts, serverAddress, s => s["network.link"] = link);
        await pair.TransferAsync(PathOf("upload"), Length);
    }

    /// <summary>What is in flight when the path becomes narrow arrives all the same: no session ends, no byte is lost.</summary>
    [Theory(Timeout = Limit)]
    [InlineData("pcap")]
    [InlineData("afpacket")]
    [InlineData("udp")]
    public async Task APathThatBecomesNarrowHoldsASessionUpButDoesNotEndIt(string link)
    {
        RoutedHosts hosts = await RoutedPair.PrepareAsync(this);
        await hosts.BeSilentAsync();
        RoutedPair pair = await RoutedPair.StartAsync(this, hosts, RoutedHosts.ServerIPv4, s => s["network.link"] = link);
        await pair.Curl.DownloadAsync(PcapPair.Target, Length);
        await hosts.NarrowAsync(1300);
        await pair.TransferAsync(PathOf("upload"), Length);
        pair.Client.Terminate();
        await pair.Client.ExitAsync();
        Assert.DoesNotContain("connecting again", pair.Client.Text);
    }

    [Fact(Timeout = Limit)]
    public async Task JumboFramesAreUsedWhereTheWholePathCarriesThem()
    {
        RoutedHosts hosts = await RoutedPair.PrepareAsync(this);
        await hosts.NarrowAsync(9000);
        foreach (string host in new[] { hosts.Client, hosts.Server })
            (await Tool.RunAsync("ip", "-n", host, "link", "set", Namespaces.Interface, "mtu", "9000")).Expect();
        RoutedPair pair = await RoutedPair.StartAsync(this, hosts, RoutedHosts.ServerIPv4, s => s["network.link"] = "afpacket");
        await pair.TransferAsync(PathOf("upload"), Length);
        pair.Client.Terminate();
        await pair.Client.ExitAsync();
        Assert.Contains("8936-byte datagrams", pair.Client.Text);
    }

    /// <summary>A number that does not fit the link is a mistake in the file, and the answer names the number that does.</summary>
    [Fact(Timeout = Limit)]
    public async Task AFixedNumberThatCannotFitIsRefusedAtStart()
    {
        RoutedHosts hosts = await RoutedPair.PrepareAsync(this);
        foreach (string link in new[] { "pcap", "udp" })
        {
            int largest = link == "pcap" ? 1436 : 1460;
            TunnelProcess client = Launch(
                [Binaries.Client],
                TunnelSettings.PcapClient(RoutedHosts.ServerIPv4).WithSocks5().With("network.link", link).With("transport.kcp.mtu", 1480),
                hosts.Client);
            await ExpectRefusalAsync(client, $"transport.kcp.mtu 1480 does not fit eth0 (1500): at most {largest} with IPv4 and guard");
            TunnelProcess server = Launch(
                [Binaries.Server], TunnelSettings.PcapServer().With("network.link", link).With("transport.kcp.mtu", 1480), hosts.Server);
            await ExpectRefusalAsync(server, $"transport.kcp.mtu 1480 does not fit eth0 (1500): at most {largest} with IPv4 and guard");
        }
    }

    /// <summary>The interface becomes smaller under a running tunnel: it is said, and the datagrams get shorter.</summary>
    [Theory(Timeout = Limit)]
    [InlineData("auto")]
    [InlineData("1400")]
    public async Task AnInterfaceThatBecomesSmallerIsFollowed(string mtu)
    {
        RoutedHosts hosts = await RoutedPair.PrepareAsync(this);
        RoutedPair pair = await RoutedPair.StartAsync(this, hosts, RoutedHosts.ServerIPv4, s =>
            s["transport.kcp.mtu"] = mtu == "auto" ? mtu : int.Parse(mtu, System.Globalization.CultureInfo.InvariantCulture));
        foreach (string host in new[] { hosts.Client, hosts.Server })
            (await Tool.RunAsync("ip", "-n", host, "link", "set", Namespaces.Interface, "mtu", "1300")).Expect();
        await hosts.NarrowAsync(1300);
        await pair.Client.LineAsync("the link's MTU is smaller now: datagrams are 1236 bytes at most");
        await pair.Server.LineAsync("the link's MTU is smaller now: datagrams are 1236 bytes at most (sessions: 1)");
        await pair.TransferAsync(PathOf("upload"), Length);
        Assert.DoesNotContain("connecting again", pair.Client.Text);
    }

    private static async Task ExpectRefusalAsync(TunnelProcess process, string message)
    {
        int code = await process.ExitAsync();
        Assert.True(code == ExitCode.Configuration, $"exit code {code}:\n{process.Text}");
        Assert.Contains(message, process.Text);
        Assert.DoesNotMatch(StackTrace(), process.Text);
    }

    [GeneratedRegex("^   at ", RegexOptions.Multiline)]
    private static partial Regex StackTrace();
}
