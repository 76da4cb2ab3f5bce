using System.Text.Json;
using System.Text.RegularExpressions;
using Tunnel.EndToEnd.Harness;

namespace Tunnel.EndToEnd.Control;

/// <summary>tunnelctl check in namespaces of its own: what it finds, what it sets there, and that it is as before afterwards.</summary>
[Collection(nameof(CheckTests))]
public partial class CheckTests : EndToEndTest
{
    private static readonly string[] PerNamespace =
        ["somaxconn", "tcp_rmem", "tcp_wmem", "ip_local_port_range", "tcp_tw_reuse", "tcp_fin_timeout", "tcp_max_syn_backlog"];

    [Fact(Timeout = Limit)]
    public async Task AFileOfALiveServerIsGoodThroughAndThrough()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        string client = await StartServerAsync(hosts, TunnelSettings.Key);
        JsonElement report = await CheckAsync(hosts.Client, "--config", client);
        foreach (string name in new[] { "host.interface", "host.gateway", "file.loads", "reach.name", "reach.route", "reach.neighbour", "reach.session", "reach.clock" })
            Assert.Equal("good", Find(report, name).GetProperty("verdict").GetString());
        Assert.Contains("a round trip of", Find(report, "reach.session").GetProperty("is").GetString());
        Assert.Contains(Namespaces.Interface, Find(report, "host.interface").GetProperty("is").GetString());
        Assert.StartsWith($"{Namespaces.Interface}: veth", Find(report, "nic.driver").GetProperty("is").GetString());
        // What it needed to try the session is gone again.
        Assert.DoesNotContain("tunnel_", (await Tool.RunInAsync(hosts.Client, "nft", "list", "tables")).Output);
    }

    [Fact(Timeout = Limit)]
    public async Task WhatIsAndWhatShouldBeAreNamedOnceForAllTables()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        ToolResult result = await Tool.RunInAsync(hosts.Client, "env", "COLUMNS=180", Binaries.Control, "check");
        string[] lines = result.Output.Split('\n');
        int head = Array.FindIndex(lines, line => Heads().IsMatch(line));
        Assert.Equal(head, Array.FindLastIndex(lines, line => Heads().IsMatch(line)));
        // The columns begin where their names do.
        string kernel = lines.Single(line => line.Contains(" host.kernel ", StringComparison.Ordinal));
        Assert.StartsWith("5.0 or newer", kernel[lines[head].IndexOf("should be", StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    [GeneratedRegex(@"^ +is +should be +why *$")]
    private static partial Regex Heads();

    [Fact(Timeout = Limit)]
    public async Task AWrongKeyIsBroken()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        string client = await StartServerAsync(hosts, "another key");
        ToolResult result = await Tool.RunInAsync(hosts.Client, Binaries.Control, "check", "--json", "--timeout", "1", "--config", client);
        Assert.Equal(8, result.ExitCode);
        using JsonDocument json = JsonDocument.Parse(result.Output);
        Assert.Equal("broken", Find(json.RootElement, "reach.session").GetProperty("verdict").GetString());
    }

    [Fact(Timeout = Limit)]
    public async Task TheRulesOfARunningServerAreFound()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        await StartServerAsync(hosts, TunnelSettings.Key);
        JsonElement report = await CheckAsync(hosts.Server, "--config", PathOf("0.toml"));
        Assert.Contains($"port {TunnelSettings.ServerPort} (process ", Find(report, "host.firewall_rules").GetProperty("is").GetString());
        Assert.Equal("good", Find(report, "conntrack.port").GetProperty("verdict").GetString());
    }

    [Theory(Timeout = Limit)]
    [InlineData("somaxconn", "/proc/sys/net/core/somaxconn", "65535")]
    [InlineData("tcp_rmem", "/proc/sys/net/ipv4/tcp_rmem", "134217728")]
    [InlineData("ip_local_port_range", "/proc/sys/net/ipv4/ip_local_port_range", "1024\t65535")]
    public async Task AKnobIsSetAndSetBack(string name, string file, string contains)
    {
        Namespaces hosts = await CreateNamespacesAsync();
        string before = await ReadAsync(hosts.Client, file);
        (await ControlAsync(hosts.Client, "check", "--apply", "--yes", "--only", name, "--undo", PathOf("undo.json"), "--interface", Namespaces.Interface)).Expect();
        Assert.Contains(contains, await ReadAsync(hosts.Client, file));
        (await ControlAsync(hosts.Client, "check", "--revert", PathOf("undo.json"))).Expect();
        Assert.Equal(before, await ReadAsync(hosts.Client, file));
        // Once more there is nothing to do, and it is not said that something was done.
        string again = (await ControlAsync(hosts.Client, "check", "--revert", PathOf("undo.json"))).Expect();
        Assert.Contains(" already", again);
        Assert.DoesNotContain("->", again);
    }

    /// <summary>A veth has no interrupt to spread, so nothing is set there; an undo file of a card's queues is followed in the kernel's own files.</summary>
    [Fact(Timeout = Limit)]
    public async Task QueuesAreSetBack()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        const string mask = "/sys/class/net/eth0/queues/rx-0/rps_cpus";
        string untouched = (await ControlAsync(hosts.Client, "check", "--apply", "--yes", "--only", "nic.rps", "--interface", Namespaces.Interface)).Expect();
        Assert.Equal("everything that can be set is as it should be", untouched.Trim());
        string before = await ReadAsync(hosts.Client, mask);
        (await Tool.RunInAsync(hosts.Client, "sh", "-c", $"echo 1 > {mask}")).Expect();
        string after = await ReadAsync(hosts.Client, mask);
        var undo = new
        {
            schema = 1,
            time = DateTimeOffset.UnixEpoch,
            host = "h",
            @interface = Namespaces.Interface,
            files = Array.Empty<string>(),
            changes = new[] { new { name = "nic.rps", before = $"rx-0={before.Trim()}", after = $"rx-0={after.Trim()}" } }
        };
        await File.WriteAllTextAsync(PathOf("undo.json"), JsonSerializer.Serialize(undo), TestContext.Current.CancellationToken);
        (await ControlAsync(hosts.Client, "check", "--revert", PathOf("undo.json"))).Expect();
        Assert.Equal(before, await ReadAsync(hosts.Client, mask));
        Assert.NotEqual(before, after);
    }

    [Fact(Timeout = Limit)]
    public async Task AllThatIsANamespacesOwnIsAsBefore()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        string before = await ReadAllAsync(hosts.Client);
        foreach (string name in PerNamespace)
            (await ControlAsync(hosts.Client, "check", "--apply", "--yes", "--only", name, "--undo", PathOf($"{name}.json"), "--interface", Namespaces.Interface)).Expect();
        Assert.NotEqual(before, await ReadAllAsync(hosts.Client));
        foreach (string name in PerNamespace.Where(n => File.Exists(PathOf($"{n}.json"))))
            (await ControlAsync(hosts.Client, "check", "--revert", PathOf($"{name}.json"))).Expect();
        Assert.Equal(before, await ReadAllAsync(hosts.Client));
    }

    [Fact(Timeout = Limit)]
    public async Task NothingIsSetWithoutBeingAsked()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        ToolResult result = await ControlAsync(hosts.Client, "check", "--apply", "--only", "somaxconn");
        Assert.Equal(1, result.ExitCode);
        Assert.Equal("sysctl -w net.core.somaxconn=65535", result.Output.Trim());
        Assert.Contains("--yes", result.Error);
        Assert.DoesNotContain("65535", await ReadAsync(hosts.Client, "/proc/sys/net/core/somaxconn"));
    }

    /// <summary>What could not be undone is not done.</summary>
    [Fact(Timeout = Limit)]
    public async Task WithoutRoomForTheUndoFileNothingIsSet()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        const string somaxconn = "/proc/sys/net/core/somaxconn";
        string before = await ReadAsync(hosts.Client, somaxconn);
        const string script = "mount -t tmpfs -o size=4k none \"$1\" && head -c 4096 /dev/zero > \"$1/fill\"; "
            + "\"$2\" check --apply --yes --only somaxconn --undo \"$1/undo.json\"; echo $?; ls \"$1\"";
        string folder = Directory.CreateDirectory(PathOf("full")).FullName;
        ToolResult result = await Tool.RunInAsync(hosts.Client, "unshare", "--mount", "sh", "-c", script, "sh", folder, Binaries.Control);
        Assert.Equal("1\nfill\n", result.Output);
        Assert.Contains("undo.json, so nothing was changed: No space left on device", result.Error);
        Assert.Equal(before, await ReadAsync(hosts.Client, somaxconn));
    }

    /// <summary>As in a container, where the kernel's settings can only be read: each change fails, so there is nothing to undo.</summary>
    [Fact(Timeout = Limit)]
    public async Task WhatCannotBeSetLeavesNoUndoFile()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        const string script = "mount --bind /proc/sys/net /proc/sys/net && mount -o remount,bind,ro /proc/sys/net; "
            + "\"$1\" check --apply --yes --only somaxconn --undo \"$2\"; echo $?";
        ToolResult result = await Tool.RunInAsync(hosts.Client, "unshare", "--mount", "sh", "-c", script, "sh", Binaries.Control, PathOf("undo.json"));
        Assert.Matches("^net.core.somaxconn: not set: .+\nnothing was changed\n1\n$", result.Output);
        Assert.False(File.Exists(PathOf("undo.json")));
    }

    [Fact(Timeout = Limit)]
    public async Task TwoSnapshotsTellWhatChanged()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        string[] files = [PathOf("a.json"), PathOf("b.json")];
        (await ControlAsync(hosts.Client, "check", "--snapshot", files[0])).Expect();
        (await ControlAsync(hosts.Client, "check", "--apply", "--yes", "--only", "somaxconn", "--undo", PathOf("undo.json"))).Expect();
        (await ControlAsync(hosts.Client, "check", "--snapshot", files[1])).Expect();
        string text = (await ControlAsync(hosts.Client, "check", "--diff", files[0], files[1])).Expect();
        Assert.Contains("net.core.somaxconn: 4096 -> 65535", text);
        Assert.Contains("net.core.somaxconn: advice -> good", text);
        ToolResult again = await ControlAsync(hosts.Client, "check", "--snapshot", files[0]);
        Assert.Equal(1, again.ExitCode);
    }

    [Theory(Timeout = Limit)]
    [InlineData("check", "--only", "no.such.thing")]
    [InlineData("check", "--apply", "--revert", "x")]
    [InlineData("check", "--persist")]
    [InlineData("check", "--profile", "fast")]
    [InlineData("check", "--timeout", "0")]
    [InlineData("init")]
    [InlineData("init", "--server", "nowhere:0")]
    public async Task AWrongCommandLineIsRefused(params string[] arguments) => Assert.Equal(2, (await ControlAsync(null, arguments)).ExitCode);

    /// <summary>What stands in a pipe is for programs: no colours, and each command on one line.</summary>
    [Fact(Timeout = Limit)]
    public async Task TheTableIsPlainInAPipe()
    {
        Namespaces hosts = await CreateNamespacesAsync();
        ToolResult result = await ControlAsync(hosts.Client, "check", "--offline");
        Assert.DoesNotContain('\u001b', result.Output);
        Assert.Contains("  sysctl -w net.core.somaxconn=65535  # net.core.somaxconn\n", result.Output);
        Assert.Empty(result.Error);
    }

    private async Task<string> StartServerAsync(Namespaces hosts, string key)
    {
        await StartServerAsync(TunnelSettings.PcapServer().With("transport.kcp.key", key), hosts.Server);
        string path = PathOf("client.toml");
        await File.WriteAllTextAsync(path, TunnelSettings.PcapClient(Namespaces.ServerIPv4).WithSocks5().ToToml());
        return path;
    }

    private static async Task<JsonElement> CheckAsync(string host, params string[] arguments)
    {
        ToolResult result = await ControlAsync(host, ["check", "--json", .. arguments]);
        using JsonDocument json = JsonDocument.Parse(result.Output);
        return json.RootElement.Clone();
    }

    private static JsonElement Find(JsonElement report, string name) =>
        report.GetProperty("findings").EnumerateArray().Single(f => f.GetProperty("name").GetString() == name);

    private static Task<ToolResult> ControlAsync(string? host, params string[] arguments) => Tool.RunInAsync(host, Binaries.Control, arguments);

    private static async Task<string> ReadAsync(string host, string file) => (await Tool.RunInAsync(host, "cat", file)).Expect();

    private static async Task<string> ReadAllAsync(string host) => (await Tool.RunInAsync(
        host, "sh", "-c", "cat /proc/sys/net/core/* /proc/sys/net/ipv4/tcp_[a-eg-z]* /proc/sys/net/ipv4/tcp_fin_timeout /proc/sys/net/ipv4/ip_local* "
            + "/sys/class/net/eth0/queues/rx-*/rps_*")).Output;
}
