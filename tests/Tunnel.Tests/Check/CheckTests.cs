using System.Net;
using System.Text.Json;
using Tunnel.App.Hosting;
using Tunnel.Ctl;
using Tunnel.Ctl.Check;
using Tunnel.Links.Host;
using Tunnel.Links.Host.Ethtool;

namespace Tunnel.Tests.Check;

public sealed class CheckTests : IDisposable
{
    private readonly FixtureHost _host = new();

    public void Dispose() => _host.Dispose();

    /// <summary>With a file of either end, with none, and on a host that has nothing at all.</summary>
    [Fact]
    public async Task EachCheckHasAFindingForEachName()
    {
        string[] names = [.. CheckRun.Topics.SelectMany(t => t.Names)];
        Assert.Equal(names.Length, names.Distinct().Count());
        using FixtureHost empty = Bare();
        empty.Firewalls = [new FirewallSurvey("nft", "not installed", [])];
        foreach (string? file in new[] { null, ConfigFiles.Server(_host), ConfigFiles.Client(_host), "/no/such/file" })
        {
            Assert.Equal(names, (await _host.CheckAsync(config: file)).Findings.Select(f => f.Name));
            CheckReport nothing = await empty.CheckAsync(config: file);
            Assert.Equal(names, nothing.Findings.Select(f => f.Name));
            Assert.All(nothing.Findings, f => Assert.False(f.Is.Length == 0, f.Name));
        }
    }

    [Fact]
    public async Task WhatCannotBeReadIsUnknown()
    {
        using FixtureHost empty = Bare();
        CheckReport report = await empty.CheckAsync();
        string[] known = ["host.libpcap", "host.firewall", "runtime.build", .. report.Findings.Where(f => f.Name.Contains("conntrack")).Select(f => f.Name)];
        Assert.Equal([], report.Findings.Where(f => f.Verdict != FindingVerdict.Unknown && !known.Contains(f.Name)).Select(f => f.Name));
    }

    /// <summary>Whatever the files hold: a finding, and no exception.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("garbage in every file\n")]
    [InlineData("-1 -1 -1\n")]
    [InlineData("99999999999999999999999999\n")]
    [InlineData("\0\u0001\u00ff")]
    public async Task OddFilesAreSurvived(string text)
    {
        foreach (string path in Directory.EnumerateFiles(_host.PathOf("/"), "*", SearchOption.AllDirectories))
            File.WriteAllText(path, text);
        CheckReport report = await _host.CheckAsync(config: ConfigFiles.Server(_host));
        Assert.Equal(CheckRun.Topics.Sum(t => t.Names.Count), report.Findings.Count());
    }

    [Fact]
    public async Task TheExitIsThatOfTheWorstFinding()
    {
        Assert.Equal(CheckExit.Advice, (await _host.CheckAsync()).ExitCode);
        _host.Probe = new SessionProbeResult(null, null, "no answer");
        string client = ConfigFiles.Client(_host);
        CheckReport broken = await _host.CheckAsync(config: client);
        Assert.Equal((FindingVerdict.Broken, CheckExit.Broken), (broken.Findings.Single(f => f.Name == "reach.session").Verdict, broken.ExitCode));
        Assert.Equal(CheckExit.Good, broken.Only("host.interface").ExitCode);
        // Ping says which of the many it is.
        Assert.Equal($"tunnelctl ping --config {client}", broken.Findings.Single(f => f.Name == "reach.session").Command);
    }

    [Fact]
    public async Task ASessionShowsThatTheClocksAgree()
    {
        CheckReport report = await _host.CheckAsync(config: ConfigFiles.Client(_host));
        Assert.Contains("a round trip of 2 ms", report.Findings.Single(f => f.Name == "reach.session").Is);
        Assert.Contains("less than 60 s apart", report.Findings.Single(f => f.Name == "reach.clock").Is);
    }

    [Theory]
    [InlineData("known.test:9999", "Good", "192.0.2.9")]
    [InlineData("unknown.test:9999", "Broken", "unknown.test: ")]
    public async Task Names(string server, string verdict, string now)
    {
        Finding finding = await _host.FindAsync("reach.name", config: ConfigFiles.Client(_host, server: server));
        Assert.Equal(Enum.Parse<FindingVerdict>(verdict), finding.Verdict);
        Assert.StartsWith(now, finding.Is);
    }

    [Fact]
    public async Task AllProblemsOfAFileAreShown()
    {
        Finding finding = await _host.FindAsync("file.loads", config: ConfigFiles.Write(_host, "[listen]\nport = 0\nnonsense = 1\n"));
        Assert.Equal(FindingVerdict.Broken, finding.Verdict);
        Assert.Contains("listen.port", finding.Is);
        Assert.Contains("nonsense", finding.Is);
        Assert.Contains("transport.kcp.key", finding.Is);
    }

    [Fact]
    public async Task AKeyThatOthersReadIsNamed()
    {
        string file = ConfigFiles.Server(_host);
        Assert.Equal(FindingVerdict.Good, (await _host.FindAsync("file.key_file", config: file)).Verdict);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Finding finding = await _host.FindAsync("file.key_file", config: file);
        Assert.Equal((FindingVerdict.Advice, $"chmod 600 {file}"), (finding.Verdict, finding.Command));
    }

    /// <summary>A service that is not root loses a file that only root may read.</summary>
    [Theory]
    [InlineData("User=tunnel", true, "chown tunnel {0} && chmod 600 {0}")]
    [InlineData("User=tunnel", false, "chmod 600 {0}")]
    [InlineData("Nice=1", true, "chmod 600 {0}")]
    public async Task AServicesFileIsItsUsers(string line, bool isItsFile, string command)
    {
        string file = ConfigFiles.Server(_host);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        string told = isItsFile ? file : "/etc/tunnel/server.toml";
        _host.Write("/etc/systemd/system/tunnel-server.service", $"[Service]\nExecStart=/usr/local/bin/tunnel-server --config {told}\n{line}\n");
        Assert.Equal(string.Format(null, command, file), (await _host.FindAsync("file.key_file", config: file)).Command);
    }

    [Theory]
    [InlineData("4.19.0-27-amd64", "Advice")]
    [InlineData("5.0.0", "Good")]
    [InlineData("6.1.0-30-cloud-arm64", "Good")]
    [InlineData("new", "Unknown")]
    public async Task Kernels(string release, string verdict)
    {
        _host.Write("/proc/sys/kernel/osrelease", release + "\n");
        Assert.Equal(Enum.Parse<FindingVerdict>(verdict), (await _host.FindAsync("host.kernel")).Verdict);
    }

    /// <summary>The asterisk of limits.conf means everybody but root, and sudo's shells are root's.</summary>
    [Fact]
    public async Task LimitsAreRootsToo()
    {
        _host.Write("/proc/self/limits", "Max open files            1024                 1024                 files\n");
        Assert.Equal(
            "printf '%s - nofile 1000000\\n' '*' root >> /etc/security/limits.d/90-tunnel.conf", (await _host.FindAsync("limits.process")).Command);
    }

    /// <summary>A service has its unit's limit, whatever the shell may that asks.</summary>
    [Theory]
    [InlineData(null, "Advice")]
    [InlineData("LimitNOFILE=524288", "Good")]
    [InlineData("LimitNOFILE=2048", "Advice")]
    public async Task TheShellsLimitBesideAUnit(string? unit, string verdict)
    {
        _host.Write("/proc/self/limits", "Max open files            1024                 1024                 files\n");
        if (unit is not null)
            _host.Write("/etc/systemd/system/tunnel-server.service", $"[Service]\n{unit}\n");
        Finding finding = await _host.FindAsync("limits.process"), caps = await _host.FindAsync("file.caps", config: ConfigFiles.Server(_host));
        Assert.Equal((verdict, "soft 1024, hard 1024 (of this shell)"), ($"{finding.Verdict}", finding.Is));
        Assert.Equal((verdict, unit is null ? "(of this shell)" : "(of the unit tunnel-server)"), ($"{caps.Verdict}", caps.Is[caps.Is.IndexOf('(')..]));
    }

    /// <summary>What runs has the limits with which it was started, whatever a unit or a shell says now.</summary>
    [Theory]
    [InlineData("524288", "0::/user.slice", "Good", null)]
    [InlineData("1024", "0::/user.slice", "Advice", "^printf .* >> /etc/security/limits.d/90-tunnel.conf$")]
    [InlineData("1024", "0::/system.slice/tunnel-server.service", "Advice", "^systemctl restart tunnel-server$")]
    [InlineData("1024", "0::/system.slice/tunnel-server.service", "Advice", "LimitNOFILE=524288.* && systemctl restart tunnel-server$", 2048)]
    public async Task TheLimitOfWhatRuns(string hard, string group, string verdict, string? command, int unit = 524288)
    {
        _host.Write("/etc/systemd/system/tunnel-server.service", $"[Service]\nLimitNOFILE={unit}\n");
        _host.Write("/proc/77/comm", "tunnel-server\n").Write("/proc/77/cgroup", group + "\n");
        _host.Write("/proc/77/limits", $"Max open files            1024                 {hard}               files\n");
        Finding finding = await _host.FindAsync("limits.process");
        Assert.Equal((verdict, $"soft 1024, hard {hard} (of tunnel-server, process 77)"), ($"{finding.Verdict}", finding.Is));
        Assert.Matches(command ?? "^$", finding.Command ?? "");
        Assert.Contains("of this shell", (await _host.FindAsync("limits.process", config: ConfigFiles.Client(_host))).Is);
    }

    /// <summary>1350 and what goes in front: 52 for IPv4 and TCP, 12 for the guard.</summary>
    [Theory]
    [InlineData("", "pcap", 1414, "Good")]
    [InlineData("", "pcap", 1413, "Broken")]
    [InlineData("guard = false\n", "pcap", 1402, "Good")]
    [InlineData("", "udp", 1390, "Good")]
    [InlineData("", "udp", 1389, "Broken")]
    public async Task PacketsFitTheInterface(string more, string link, int mtu, string verdict)
    {
        _host.Route = _host.Route! with { Mtu = mtu };
        Finding finding = await _host.FindAsync("file.mtu", config: ConfigFiles.Client(_host, $"mtu = 1350\n{more}[network]\nlink = \"{link}\"\n"));
        Assert.Equal(Enum.Parse<FindingVerdict>(verdict), finding.Verdict);
    }

    [Theory]
    [InlineData("524288", "Good")]
    [InlineData("unlimited", "Good")]
    [InlineData("1024", "Advice")]
    [InlineData("many", "Unknown")]
    public async Task CapsNeedDescriptors(string hard, string verdict)
    {
        _host.Write("/proc/self/limits", $"Max open files            1024                 {hard}               files\n");
        Assert.Equal(Enum.Parse<FindingVerdict>(verdict), (await _host.FindAsync("file.caps", config: ConfigFiles.Server(_host))).Verdict);
    }

    [Fact]
    public async Task ABacklogBeyondTheKernels()
    {
        Finding finding = await _host.FindAsync("file.backlog", config: ConfigFiles.Client(_host, "[listeners]\nbacklog = 5000\n"));
        Assert.Equal((FindingVerdict.Advice, "sysctl -w net.core.somaxconn=5000"), (finding.Verdict, finding.Command));
    }

    /// <summary>It listens where its clients' [[reverse]] say.</summary>
    [Theory]
    [InlineData("[reverse]\nallow = ['127.0.0.1:1-9']\n[listeners]\nbacklog = 5000\n", "Advice")]
    [InlineData("[listeners]\nbacklog = 5000\n", "Good")]
    public async Task AServersBacklog(string more, string expected) =>
        Assert.Equal(expected, (await _host.FindAsync("file.backlog", config: ConfigFiles.Server(_host, more))).Verdict.ToString());

    [Fact]
    public async Task DropsThatGrowAreTold()
    {
        Assert.Equal(FindingVerdict.Good, (await _host.FindAsync("softnet.dropped")).Verdict);
        Finding finding = await _host.FindAsync(
            "softnet.dropped", between: () => _host.Write("/proc/net/softnet_stat", FixtureFiles.Softnet.Replace("00000000 00000003", "00000007 00000003")));
        Assert.Equal((FindingVerdict.Advice, "sysctl -w net.core.netdev_max_backlog=2000"), (finding.Verdict, finding.Command));
        Assert.StartsWith("7 since boot, 7 in the last second (cpu0: 7)", finding.Is);
    }

    [Fact]
    public async Task OverflowsAreTold()
    {
        _host.Write("/proc/net/netstat", FixtureFiles.Netstat.Replace("TcpExt: 0 0 0", "TcpExt: 0 4 6"));
        Finding finding = await _host.FindAsync("listen.overflows");
        Assert.Equal((FindingVerdict.Advice, "overflows 4, drops 6 since boot, 0 in the last second"), (finding.Verdict, finding.Is));
    }

    [Theory]
    [InlineData(0u, "Good", "listening sockets: 1, none has connections waiting")]
    [InlineData(100u, "Advice", "127.0.0.1:80: 100 of 128")]
    public async Task QueuesOfListeners(uint waiting, string verdict, string now)
    {
        _host.ListenQueues = ([new ListenQueue(new IPEndPoint(IPAddress.Loopback, 80), waiting, 128)], null);
        Finding finding = await _host.FindAsync("listen.queues");
        Assert.Equal((Enum.Parse<FindingVerdict>(verdict), now), (finding.Verdict, finding.Is));
    }

    [Fact]
    public async Task WithoutNetlinkTheTablesAreRead()
    {
        _host.ListenQueues = ([], "refused");
        Assert.Equal(FindingVerdict.Unknown, (await _host.FindAsync("listen.queues")).Verdict);
        _host.Write("/proc/net/tcp", "  sl  local\n   0: 0100007F:1F90 00000000:0000 0A 00000000:00000100 00:0\n");
        Finding finding = await _host.FindAsync("listen.queues");
        Assert.Equal(FindingVerdict.Advice, finding.Verdict);
        Assert.StartsWith("listening sockets: 1, the longest queue has 256", finding.Is);
    }

    [Theory]
    [InlineData("17", "Good")]
    [InlineData("50000", "Advice")]
    [InlineData("65000", "Broken")]
    [InlineData("x", "Unknown")]
    public async Task TheTableOfConnections(string count, string verdict)
    {
        _host.Write("/proc/sys/net/netfilter/nf_conntrack_count", count + "\n");
        Assert.Equal(Enum.Parse<FindingVerdict>(verdict), (await _host.FindAsync("conntrack.use")).Verdict);
    }

    [Theory]
    [InlineData(true, "Good")]
    [InlineData(false, "Advice")]
    public async Task TheTunnelsPortIsNotTracked(bool exempt, string verdict)
    {
        _host.Firewalls = [new FirewallSurvey("nft", null, [new InstalledRules(9999, 1, true, exempt, true)])];
        Assert.Equal(Enum.Parse<FindingVerdict>(verdict), (await _host.FindAsync("conntrack.port")).Verdict);
    }

    /// <summary>No rules are right without a tunnel, and wrong with one.</summary>
    [Fact]
    public async Task RulesOfARunningServer()
    {
        string file = ConfigFiles.Server(_host);
        Assert.Equal(FindingVerdict.Good, (await _host.FindAsync("host.firewall_rules", config: file)).Verdict);
        _host.Write("/proc/4242/comm", "tunnel-server\n").Write("/proc/4242/cmdline", "tunnel-server\0--config\0/another.toml\0");
        Assert.Equal(FindingVerdict.Good, (await _host.FindAsync("host.firewall_rules", config: file)).Verdict);
        Assert.Equal(FindingVerdict.Unknown, (await _host.FindAsync("host.firewall_rules")).Verdict);
        _host.Write("/proc/4242/cmdline", $"tunnel-server\0--config\0{file}\0");
        Assert.Equal(FindingVerdict.Broken, (await _host.FindAsync("host.firewall_rules", config: file)).Verdict);
        _host.Firewalls = [new FirewallSurvey("nft", null, [new InstalledRules(9999, 4242, true, true, true)])];
        Assert.Equal(FindingVerdict.Good, (await _host.FindAsync("host.firewall_rules", config: file)).Verdict);
        _host.Firewalls = [new FirewallSurvey("nft", null, [new InstalledRules(9999, 4242, false, true, true)])];
        Assert.Contains("left by a dead process", (await _host.FindAsync("host.firewall_rules", config: file)).Is);
    }

    /// <summary>Between two tries of a client that nobody answers there are none.</summary>
    [Fact]
    public async Task RulesOfAClientThatIsNotConnected()
    {
        string file = ConfigFiles.Client(_host);
        _host.Write("/proc/4242/comm", "tunnel-client\n").Write("/proc/4242/cmdline", $"tunnel-client\0--config\0{file}\0");
        Finding finding = await _host.FindAsync("host.firewall_rules", config: file);
        Assert.Equal(FindingVerdict.Unknown, finding.Verdict);
        Assert.Contains("process 4242", finding.Is);
    }

    [Theory]
    [InlineData("LimitNOFILE=524288", "", "Good")]
    [InlineData("LimitNOFILE=1024:infinity", "", "Good")]
    [InlineData("LimitNOFILE=1024", "", "Advice")]
    [InlineData("LimitNOFILE=524288", "LimitNOFILE=99", "Advice")]
    [InlineData("LimitNOFILE=99", "LimitNOFILE=infinity", "Good")]
    [InlineData("Nice=1", "", "Advice")]
    public async Task TheUnitsLimit(string unit, string dropIn, string verdict)
    {
        Assert.Equal(FindingVerdict.Unknown, (await _host.FindAsync("limits.unit")).Verdict);
        _host.Write("/usr/lib/systemd/system/tunnel-server.service", $"[Service]\n{unit}\n");
        _host.Write("/etc/systemd/system/tunnel-server.service.d/10.conf", $"[Service]\n{dropIn}\n");
        Assert.Equal(Enum.Parse<FindingVerdict>(verdict), (await _host.FindAsync("limits.unit")).Verdict);
    }

    [Fact]
    public async Task InterruptsOfTheCard()
    {
        Finding affinity = await _host.FindAsync("irq.affinity");
        Assert.Equal((FindingVerdict.Good, "38: 1, 39: 0"), (affinity.Verdict, affinity.Is));
        Assert.Equal(FindingVerdict.Unknown, (await _host.FindAsync("irq.spread")).Verdict);
        Finding spread = await _host.FindAsync("irq.spread", between: () => _host.Write("/proc/interrupts", FixtureFiles.Interrupts.Replace("4622", "9622")));
        Assert.Equal((FindingVerdict.Advice, "in the last second cpu0: 0, cpu1: 5000"), (spread.Verdict, spread.Is));
    }

    [Fact]
    public async Task AllInterruptsOnOneProcessor()
    {
        _host.Write("/proc/irq/38/effective_affinity_list", "0\n");
        Finding finding = await _host.FindAsync("irq.affinity");
        Assert.Equal(FindingVerdict.Advice, finding.Verdict);
        Assert.Equal("echo 0 > /proc/irq/38/smp_affinity_list; echo 1 > /proc/irq/39/smp_affinity_list", finding.Command);
    }

    [Fact]
    public async Task DropsOfTheDriver()
    {
        _host.Card.StatisticAnswer = new([new("rx_no_buffer_drops", 3), new("rx_xdp_drops", 9), new("rx_bytes", 7)], null);
        Finding finding = await _host.FindAsync("nic.drops", between: () => _host.Card.StatisticAnswer = new([new("rx_no_buffer_drops", 5)], null));
        Assert.Equal((FindingVerdict.Advice, "rx_no_buffer_drops 5; 2 in the last second"), (finding.Verdict, finding.Is));
    }

    [Theory]
    [InlineData(new[] { 64, 64 }, "Good")]
    [InlineData(new[] { 128, 0 }, "Advice")]
    [InlineData(new[] { 100, 28 }, "Advice")]
    [InlineData(new int[0], "Unknown")]
    public async Task FlowsOverQueues(int[] slots, string verdict)
    {
        _host.Card.ChannelAnswer = new(new NicChannels(0, 0, 2, 0, 0, 8), null);
        _host.Card.SpreadAnswer = new(slots, null);
        Assert.Equal(Enum.Parse<FindingVerdict>(verdict), (await _host.FindAsync("nic.rss")).Verdict);
    }

    [Fact]
    public async Task StolenTime()
    {
        Finding finding = await _host.FindAsync("cpu.steal", between: () => _host.Write("/proc/stat", "cpu  1050 0 500 8030 10 0 20 25 0 0\n"));
        Assert.Equal((FindingVerdict.Advice, "20 % in the last second"), (finding.Verdict, finding.Is));
    }

    [Theory]
    [InlineData("performance", "Throughput", "Good")]
    [InlineData("powersave", "Throughput", "Advice")]
    [InlineData("powersave", "Small", "Good")]
    public async Task Governors(string governor, string profile, string verdict)
    {
        _host.Write("/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", governor + "\n");
        Assert.Equal(Enum.Parse<FindingVerdict>(verdict), (await _host.FindAsync("cpu.governor", Enum.Parse<TuningProfile>(profile))).Verdict);
    }

    /// <summary>The deepest that is not turned off counts.</summary>
    [Theory]
    [InlineData("0", "Latency", "Advice", "133 us from the deepest sleep")]
    [InlineData("1", "Latency", "Good", "2 us from the deepest sleep")]
    [InlineData("0", "Throughput", "Good", "133 us from the deepest sleep")]
    public async Task DeepSleeps(string disabled, string profile, string verdict, string now)
    {
        const string idle = "/sys/devices/system/cpu/cpu0/cpuidle";
        Assert.Equal(FindingVerdict.Unknown, (await _host.FindAsync("cpu.idle")).Verdict);
        _host.Write($"{idle}/state0/latency", "0\n").Write($"{idle}/state1/latency", "2\n").Write($"{idle}/state1/disable", "0\n");
        _host.Write($"{idle}/state2/latency", "133\n").Write($"{idle}/state2/disable", disabled + "\n");
        Finding finding = await _host.FindAsync("cpu.idle", Enum.Parse<TuningProfile>(profile));
        Assert.Equal((Enum.Parse<FindingVerdict>(verdict), now), (finding.Verdict, finding.Is));
    }

    [Fact]
    public async Task AClockThatNobodyDisciplines()
    {
        _host.Clock = (new KernelClock(false, TimeSpan.FromSeconds(16)), null);
        Assert.Equal(FindingVerdict.Advice, (await _host.FindAsync("host.clock")).Verdict);
        Assert.Equal(FindingVerdict.Good, (await _host.FindAsync("host.clock", config: ConfigFiles.Server(_host, "guard = false\n"))).Verdict);
    }

    /// <summary>A host that tells nothing.</summary>
    private static FixtureHost Bare() =>
        new(empty: true) { Route = null, LibpcapVersion = null, Clock = (null, "refused"), ListenQueues = ([], "refused") };

    [Fact]
    public async Task TheJsonHasASchema()
    {
        using JsonDocument json = JsonDocument.Parse(JsonText.Write(CheckJson.Of(await _host.CheckAsync())));
        Assert.Equal(["schema", "profile", "host", "findings", "summary", "exit"], json.RootElement.EnumerateObject().Select(p => p.Name));
        JsonElement finding = json.RootElement.GetProperty("findings").EnumerateArray().First(f => f.GetProperty("name").GetString() == "net.core.somaxconn");
        Assert.Equal(["name", "topic", "verdict", "is", "should", "why", "command"], finding.EnumerateObject().Select(p => p.Name));
        Assert.Equal(("backlog", "advice"), (finding.GetProperty("topic").GetString(), finding.GetProperty("verdict").GetString()));
        Assert.Equal(("4096", "65535"), (finding.GetProperty("is").GetString(), finding.GetProperty("should").GetString()));
        Assert.Equal("throughput", json.RootElement.GetProperty("profile").GetString());
    }
}
