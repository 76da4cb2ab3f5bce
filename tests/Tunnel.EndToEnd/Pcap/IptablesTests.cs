using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Pcap;

/// <summary>Hosts without nft: the rules are iptables', of either make, and live exactly as long as the process, too.</summary>
[Collection(nameof(IptablesTests))]
public class IptablesTests : EndToEndTest
{
    private const string ToolFolder = "/usr/sbin";

    private static readonly string[] Tools = ["iptables", "ip6tables"];

    [Theory(Timeout = Limit)]
    [InlineData("nft", Namespaces.ServerIPv4)]
    [InlineData("nft", $"[{Namespaces.ServerIPv6}]")]
    [InlineData("legacy", Namespaces.ServerIPv4)]
    [InlineData("legacy", $"[{Namespaces.ServerIPv6}]")]
    public async Task TrafficPassesWithoutResetsAndTheChainsGoWithTheProcess(string make, string serverAddress)
    {
        Namespaces hosts = await PrepareAsync(make);
        RawTrace atClient = await RawTrace.StartAsync(this, hosts.Client, PathOf("client.pcap"), RawTrace.Resets);
        RawTrace atServer = await RawTrace.StartAsync(this, hosts.Server, PathOf("server.pcap"), RawTrace.Resets);
        TunnelProcess server = await StartServerAsync(make, hosts);
        TunnelProcess client = await StartClientAsync(make, hosts, serverAddress);
        await new Curl(hosts.Client, await client.Socks5PortAsync()).DownloadAsync(PcapPair.Target, 8 * Payload.MiB);
        Assert.Equal(1, server.Count("installed with iptables"));
        Assert.Equal(1, client.Count("installed with iptables"));
        string[] rules = await RulesAsync(make, hosts.Server);
        foreach (string tool in Tools)
        {
            Assert.Single(rules, $"{tool} -A PREROUTING -j tunnel_{TunnelSettings.ServerPort}_i");
            Assert.Single(rules, $"{tool} -A OUTPUT -j tunnel_{TunnelSettings.ServerPort}_o");
        }

        client.Terminate();
        server.Terminate();
        Assert.Equal(0, await client.ExitAsync());
        Assert.Equal(0, await server.ExitAsync());
        Assert.Empty(await RulesAsync(make, hosts.Client));
        Assert.Empty(await RulesAsync(make, hosts.Server));
        Assert.Empty(await atClient.StopAsync());
        Assert.Empty(await atServer.StopAsync());
    }

    [Theory(Timeout = Limit)]
    [InlineData("nft")]
    [InlineData("legacy")]
    public async Task WhatACrashLeftIsRemovedAtTheNextStart(string make)
    {
        Namespaces hosts = await PrepareAsync(make);
        TunnelProcess server = await StartServerAsync(make, hosts);
        TunnelProcess client = await StartClientAsync(make, hosts, Namespaces.ServerIPv4);
        string[] before = await RulesAsync(make, hosts.Client);
        string[] serverBefore = await RulesAsync(make, hosts.Server);
        await client.KillAsync();
        await server.KillAsync();
        Assert.NotEmpty(before);
        Assert.Equal(before, await RulesAsync(make, hosts.Client));
        Assert.Equal(serverBefore, await RulesAsync(make, hosts.Server));

        server = await StartServerAsync(make, hosts);
        client = await StartClientAsync(make, hosts, Namespaces.ServerIPv4);
        await client.LineAsync("that a dead process left");
        // The same but for the owner's name, and the client's port; nothing of the dead ones'.
        Assert.Equal(serverBefore.Length, (await RulesAsync(make, hosts.Server)).Length);
        Assert.Empty(before.Intersect(await RulesAsync(make, hosts.Client)));

        client.Terminate();
        server.Terminate();
        await client.ExitAsync();
        await server.ExitAsync();
        Assert.Empty(await RulesAsync(make, hosts.Client));
        Assert.Empty(await RulesAsync(make, hosts.Server));
    }

    [Theory(Timeout = Limit)]
    [InlineData("nft")]
    [InlineData("legacy")]
    public async Task AddressesThatComeAndGoAreFollowed(string make)
    {
        Namespaces hosts = await PrepareAsync(make);
        TunnelProcess server = await StartServerAsync(make, hosts);
        Assert.Contains(await RulesAsync(make, hosts.Server), rule => rule.Contains(Namespaces.ServerIPv6));
        using CancellationTokenSource enough = new();
        Task watching = WatchAsync(make, hosts, enough.Token);
        await AddressAsync(hosts.Server, "add", "10.77.0.3/24");
        await Until.TrueAsync("there are rules for it", async () => await HasRulesForAsync(make, hosts, "10.77.0.3"));
        (await Tool.RunAsync("ip", "-n", hosts.Server, "-6", "address", "flush", "dev", Namespaces.Interface)).Expect();
        await Until.TrueAsync(
            "there are none of IPv6", async () => !(await RulesAsync(make, hosts.Server)).Any(r => r.StartsWith("ip6tables", StringComparison.Ordinal)));
        Assert.True(await HasRulesForAsync(make, hosts, "10.77.0.3"));
        await enough.CancelAsync();
        await watching;
        server.Terminate();
        await server.ExitAsync();
        Assert.Empty(await RulesAsync(make, hosts.Server));
    }

    /// <summary>What holds for an address that stays is there at every look, also while rules take the place of others.</summary>
    private static async Task WatchAsync(string make, Namespaces hosts, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            string[] rules = await RulesAsync(make, hosts.Server);
            Assert.Equal(3, rules.Count(rule => rule.Contains($" {Namespaces.ServerIPv4}/32 ")));
            Assert.Equal(2, rules.Count(rule => rule.StartsWith("iptables -A ", StringComparison.Ordinal) && rule.Contains(" -j tunnel_")));
        }
    }

    /// <summary>The hosts, and in the test's folder a folder of tools that has the two of this make and nothing else.</summary>
    private async Task<Namespaces> PrepareAsync(string make)
    {
        Requires.Tool("unshare");
        Namespaces hosts = await PcapPair.PrepareAsync(this);
        Directory.CreateDirectory(PathOf(make));
        foreach (string tool in Tools)
        {
            Requires.Tool($"{tool}-{make}");
            ToolResult works = await Tool.RunInAsync(hosts.Client, $"{tool}-{make}", "-t", "raw", "-S");
            Requires.That(works.ExitCode == 0, $"needs a kernel for {tool}-{make}");
            string file = Path.Combine(ToolFolder, $"{tool}-{make}");
            // One program, which goes by the name that it is called by.
            foreach (string name in (string[])[tool, $"{tool}-restore"])
                File.Copy(File.ResolveLinkTarget(file, returnFinalTarget: true)!.FullName, Path.Combine(PathOf(make), name));
        }

        return hosts;
    }

    private async Task<TunnelProcess> StartServerAsync(string make, Namespaces hosts)
    {
        TunnelProcess server = Launch([.. WithToolsOf(make), Binaries.Server], TunnelSettings.PcapServer(), hosts.Server);
        await server.ReadyAsync();
        return server;
    }

    private async Task<TunnelProcess> StartClientAsync(string make, Namespaces hosts, string serverAddress)
    {
        TunnelProcess client = Launch(
            [.. WithToolsOf(make), Binaries.Client], TunnelSettings.PcapClient(serverAddress).WithSocks5(), hosts.Client);
        await client.ConnectedAsync();
        return client;
    }

    /// <summary>In a mount namespace of its own, the process sees that folder in the place of the one that has nft, too.</summary>
    private string[] WithToolsOf(string make) =>
        ["unshare", "--mount", "sh", "-c", $"mount --bind \"$0\" {ToolFolder} && exec \"$@\"", PathOf(make)];

    /// <summary>What there is of the tunnel's, with the tool in front.</summary>
    private static async Task<string[]> RulesAsync(string make, string host)
    {
        List<string> rules = [];
        foreach (string tool in Tools)
        {
            string text = (await Tool.RunInAsync(host, $"{tool}-{make}", "-w", "5", "-t", "raw", "-S")).Expect();
            rules.AddRange(text.Split('\n').Where(l => l.Contains("tunnel_") || l.Contains("to_")).Select(l => $"{tool} {l.Trim()}"));
        }

        return [.. rules];
    }

    private static async Task<bool> HasRulesForAsync(string make, Namespaces hosts, string address) =>
        (await RulesAsync(make, hosts.Server)).Any(rule => rule.Contains(address));

    private static async Task AddressAsync(string host, string verb, string address) =>
        (await Tool.RunAsync("ip", "-n", host, "address", verb, address, "dev", Namespaces.Interface)).Expect();
}
