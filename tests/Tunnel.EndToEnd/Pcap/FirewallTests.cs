using Tunnel.EndToEnd.Harness;

namespace Tunnel.EndToEnd.Pcap;

/// <summary>The rules that keep a host's own TCP from answering the tunnel's segments: they live exactly as long as the process.</summary>
[Collection(nameof(FirewallTests))]
public class FirewallTests : EndToEndTest
{
    private static readonly string ServerTable = $"table inet tunnel_{TunnelSettings.ServerPort}";

    [Fact(Timeout = Limit)]
    public async Task RulesAreThereWhileRunningAndGoneAfterAnOrderlyStop()
    {
        Requires.Tool("nft");
        PcapPair pair = await PcapPair.StartAsync(this, Namespaces.ServerIPv4);
        Assert.Equal([ServerTable], await TablesAsync(pair.Hosts.Server));
        Assert.Single(await TablesAsync(pair.Hosts.Client));

        pair.Client.Terminate();
        pair.Server.Terminate();
        Assert.Equal(0, await pair.Client.ExitAsync());
        Assert.Equal(0, await pair.Server.ExitAsync());
        Assert.Empty(await TablesAsync(pair.Hosts.Client));
        Assert.Empty(await TablesAsync(pair.Hosts.Server));
    }

    /// <summary>A client has a new port at each start, so a crashed one's rules have another name than its successor's.</summary>
    [Fact(Timeout = Limit)]
    public async Task WhatACrashLeftIsRemovedAtTheNextStart()
    {
        Requires.Tool("nft");
        PcapPair pair = await PcapPair.StartAsync(this, Namespaces.ServerIPv4);
        string before = await RulesAsync(pair.Hosts.Client);
        await pair.Client.KillAsync();
        await pair.Server.KillAsync();
        Assert.Equal(before, await RulesAsync(pair.Hosts.Client));
        Assert.Equal([ServerTable], await TablesAsync(pair.Hosts.Server));

        await StartServerAsync(TunnelSettings.PcapServer(), pair.Hosts.Server);
        TunnelProcess client = await StartClientAsync(TunnelSettings.PcapClient(Namespaces.ServerIPv4).WithSocks5(), pair.Hosts.Client);
        await client.ConnectedAsync();
        Assert.Single(await TablesAsync(pair.Hosts.Client));
        // The owner's process id is among the rules.
        Assert.NotEqual(before, await RulesAsync(pair.Hosts.Client));
        Assert.Equal([ServerTable], await TablesAsync(pair.Hosts.Server));
    }

    [Fact(Timeout = Limit)]
    public async Task FlushedRulesComeBack()
    {
        Requires.Tool("nft");
        PcapPair pair = await PcapPair.StartAsync(this, Namespaces.ServerIPv4);
        string rules = await RulesAsync(pair.Hosts.Server);
        (await Tool.RunInAsync(pair.Hosts.Server, "nft", "flush", "ruleset")).Expect();
        Assert.Empty(await TablesAsync(pair.Hosts.Server));
        await Until.TrueAsync(
            "the rules are back", async () => await RulesAsync(pair.Hosts.Server) == rules, TimeSpan.FromSeconds(12));
        await pair.Server.LineAsync("were gone");
        await pair.Curl.DownloadAsync(PcapPair.Target, 100_000);
    }

    /// <summary>One link's rules are looked at in each round, a minute long: that others' went or are not what they were, the kernel says.</summary>
    [Theory(Timeout = Limit)]
    [InlineData("delete table {0}")]
    [InlineData("add chain {0} more")]
    public async Task ThoseOfManyLinksComeBackTogether(string change)
    {
        const int Links = 12;
        Requires.Tool("nft");
        Namespaces hosts = await PcapPair.PrepareAsync(this);
        await StartServerAsync(TunnelSettings.PcapServer(), hosts.Server);
        TunnelSettings settings = TunnelSettings.PcapClient(Namespaces.ServerIPv4).WithSocks5().With("transport.conn", Links);
        TunnelProcess client = await StartClientAsync(settings, hosts.Client);
        await client.ConnectedAsync(Links);
        string[] tables = await TablesAsync(hosts.Client);
        Assert.Equal(Links, tables.Length);
        string rules = await RulesAsync(hosts.Client);
        foreach (string table in tables.Skip(1))
            (await Tool.RunInAsync(hosts.Client, "nft", string.Format(change, table["table ".Length..]).Split(' '))).Expect();
        Assert.NotEqual(rules, await RulesAsync(hosts.Client));
        await Until.TrueAsync(
            "all are back", async () => Tables(await RulesAsync(hosts.Client)).SequenceEqual(Tables(rules)), TimeSpan.FromSeconds(30));
    }

    /// <summary>Also shows that the trace of the other tests would see a reset: without rules this host does send them.</summary>
    [Fact(Timeout = Limit)]
    public async Task WithoutTheRulesThereAreNoneAndTheHostResets()
    {
        Requires.Tool("nft");
        Namespaces hosts = await PcapPair.PrepareAsync(this);
        RawTrace resets = await RawTrace.StartAsync(this, hosts.Client, PathOf("resets.pcap"), RawTrace.Resets);
        await StartServerAsync(TunnelSettings.PcapServer().With("network.firewall", false), hosts.Server);
        TunnelProcess client = await StartClientAsync(
            TunnelSettings.PcapClient(Namespaces.ServerIPv4).With("network.firewall", false).WithSocks5(), hosts.Client);
        await client.ConnectedAsync();
        Assert.Empty(await TablesAsync(hosts.Server));
        Assert.Empty(await TablesAsync(hosts.Client));
        Assert.NotEmpty(await resets.StopAsync());
    }

    private static async Task<string[]> TablesAsync(string host) =>
        (await Tool.RunInAsync(host, "nft", "list", "tables")).Expect().Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>In any order.</summary>
    private static IEnumerable<string> Tables(string ruleset) => ruleset.Split("table ").Order();

    private static async Task<string> RulesAsync(string host) => (await Tool.RunInAsync(host, "nft", "-s", "list", "ruleset")).Expect();
}
