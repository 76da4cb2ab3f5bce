using System.Net;
using System.Text.Json;
using Tunnel.App.Hosting;
using Tunnel.EndToEnd.Harness;

namespace Tunnel.EndToEnd.Control;

/// <summary>ping against servers that are there, that refuse, and that are not there.</summary>
[Collection(nameof(PingTests))]
public class PingTests : EndToEndTest
{
    private static readonly string[] Levels = ["link", "session", "stream"];

    [Theory(Timeout = Limit)]
    [InlineData("pcap")]
    [InlineData("afpacket")]
    public async Task ARunningServerAnswersOnAllLevelsBesideARunningClient(string link)
    {
        PcapPair pair = await PcapPair.StartAsync(
            this, Namespaces.ServerIPv4, s => s["network.link"] = link, c => c.With("network.link", link).With("network.ipv4.port", 45000));
        ToolResult result = await PingAsync(
            pair.Hosts.Client, TunnelSettings.PcapClient(Namespaces.ServerIPv4).With("network.link", link).With("network.ipv4.port", 45000));
        AssertAnswered(result, count: 3);
        Assert.Empty(result.Error);
        await pair.Curl.DownloadAsync(PcapPair.Target, 100_000);
        Assert.Equal(1, pair.Client.Count("is up"));
    }

    [Fact(Timeout = Limit)]
    public async Task OverUdpTooAndAsText()
    {
        int port = FreeUdpPort();
        TunnelProcess server = await StartServerAsync(TunnelSettings.UdpServer(port));
        AssertAnswered(await PingAsync(null, TunnelSettings.UdpClient(port)), count: 3);
        // It says goodbye: a server that heard nothing more would send its last answer again until the keepalive gives up.
        await server.LineAsync("ended: Goodbye");
        ToolResult text = await Tool.RunAsync(Binaries.Control, "ping", "--config", Write(TunnelSettings.UdpClient(port)), "--count", "1");
        Assert.Contains("seq 1: link ", text.Expect(), StringComparison.Ordinal);
        Assert.Contains("median", text.Output, StringComparison.Ordinal);
    }

    [Theory(Timeout = Limit)]
    [InlineData("transport.kcp.key", "another key")]
    [InlineData("transport.kcp.guard_magic", "XXXX")]
    public async Task AServerThatRefusesIsToldFromAHostThatIsDown(string key, string value)
    {
        Namespaces hosts = await CreateNamespacesAsync();
        await StartServerAsync(TunnelSettings.PcapServer(), hosts.Server);
        ToolResult result = await PingInVainAsync(hosts.Client, TunnelSettings.PcapClient(Namespaces.ServerIPv4).With(key, value));
        AssertSilent(result, "its host is up", "transport.kcp.key", "guard_magic", "clocks agree (the server's is");
        Assert.DoesNotContain("ahead", result.Error, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task NobodyListening()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        ToolResult result = await PingInVainAsync(hosts.Client, TunnelSettings.PcapClient(Namespaces.ServerIPv4));
        AssertSilent(result, $"{Namespaces.ServerIPv4}:{TunnelSettings.ServerPort} refuses the port", "RST", "or a firewall before it");
    }

    [Fact(Timeout = Limit)]
    public async Task NobodyListeningOnUdp() =>
        AssertSilent(await PingInVainAsync(null, TunnelSettings.UdpClient(FreeUdpPort())), "refuses the UDP port");

    /// <summary>Over a network the ICMP error is heard by itself, and the host may not say it a second time.</summary>
    [Fact(Timeout = Limit)]
    public async Task NobodyListeningOnUdpOfAnotherHost()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        TunnelSettings client = TunnelSettings.UdpClient(1).With("server.address", $"{Namespaces.ServerIPv4}:{TunnelSettings.ServerPort}");
        AssertSilent(await PingInVainAsync(hosts.Client, client), "refuses the UDP port", "network.link = \"udp\"");
    }

    [Fact(Timeout = Limit)]
    public async Task NoRoute()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        ToolResult result = await PingAsync(hosts.Client, TunnelSettings.PcapClient("192.0.2.1"));
        Assert.Equal(ExitCode.Network, result.ExitCode);
        Assert.Contains("there is no route to 192.0.2.1", result.Error, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task ANameThatDoesNotResolve()
    {
        ToolResult result = await PingAsync(null, TunnelSettings.UdpClient(1).With("server.address", "nowhere.invalid:9999"));
        Assert.Equal(ExitCode.Network, result.ExitCode);
        Assert.Contains("does not resolve", result.Error, StringComparison.Ordinal);
    }

    /// <summary>On a path of 400 ms there and back, which the one waits for and the other does not.</summary>
    [Theory(Timeout = Limit)]
    [InlineData("10", ExitCode.Success, 3)]
    [InlineData("0.1", ExitCode.Failure, 0)]
    public async Task ARoundTripIsLostAfterTheTimeout(string seconds, int exitCode, int received)
    {
        int port = FreeUdpPort();
        await StartServerAsync(TunnelSettings.UdpServer(port));
        ChildProcess emulate = StartProcess(null, Binaries.Control, "emulate", "--udp", $"127.0.0.1:0=127.0.0.1:{port}", "--delay", "200ms");
        int relay = IPEndPoint.Parse((await emulate.LineAsync("relaying ")).Split(' ')[1]).Port;
        ToolResult result = await PingAsync(null, TunnelSettings.UdpClient(relay), patience: seconds);
        Assert.Equal(exitCode, result.ExitCode);
        JsonElement levels = JsonDocument.Parse(result.Output).RootElement.GetProperty("levels");
        Assert.All(levels.EnumerateArray(), l => Assert.Equal(received, l.GetProperty("received").GetInt32()));
        Assert.All(levels.EnumerateArray().Where(_ => received != 0), l => Assert.True(l.GetProperty("min_milliseconds").GetDouble() >= 400));
    }

    [Fact(Timeout = Limit)]
    public async Task AServerWithoutItsFirewallRulesAnswersAndIsReported()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        await StartServerAsync(TunnelSettings.PcapServer().With("network.firewall", false), hosts.Server);
        ToolResult result = await PingAsync(hosts.Client, TunnelSettings.PcapClient(Namespaces.ServerIPv4));
        AssertAnswered(result, count: 3);
        Assert.Contains("firewall rules are missing", result.Error, StringComparison.Ordinal);
    }

    [Fact(Timeout = Limit)]
    public async Task AFileThatIsWrongIsRefused()
    {
        ToolResult result = await PingAsync(null, TunnelSettings.UdpClient(1).With("transport.conn", 0));
        Assert.Equal(ExitCode.Configuration, result.ExitCode);
        Assert.Contains("transport.conn", result.Error, StringComparison.Ordinal);
    }

    private static void AssertAnswered(ToolResult result, int count)
    {
        JsonElement report = JsonDocument.Parse(result.Expect()).RootElement;
        Dictionary<string, JsonElement> levels = report.GetProperty("levels").EnumerateArray().ToDictionary(l => l.GetProperty("level").GetString()!);
        Assert.Equal(Levels, levels.Keys);
        Assert.All(levels.Values, l => Assert.Equal(count, l.GetProperty("received").GetInt32()));
        Assert.All(levels.Values, l => Assert.InRange(l.GetProperty("min_milliseconds").GetDouble(), 0.001, l.GetProperty("p95_milliseconds").GetDouble()));
    }

    private static void AssertSilent(ToolResult result, params string[] says)
    {
        Assert.Equal(ExitCode.Failure, result.ExitCode);
        Assert.All(says, s => Assert.Contains(s, result.Error, StringComparison.Ordinal));
    }

    private Task<ToolResult> PingAsync(string? host, TunnelSettings settings, string patience = "2") => Tool.RunInAsync(
        host, Binaries.Control, "ping", "--config", Write(settings), "--count", "3", "--interval", "0.05", "--timeout", patience, "--json");

    /// <summary>Where nothing is to come, it need not be waited for as long.</summary>
    private Task<ToolResult> PingInVainAsync(string? host, TunnelSettings settings) => PingAsync(host, settings, patience: "1");

    private string Write(TunnelSettings settings)
    {
        string file = PathOf("ping.toml");
        File.WriteAllText(file, settings.WithSocks5().ToToml());
        return file;
    }
}
