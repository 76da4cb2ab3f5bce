using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Tunnel.Links;
using Tunnel.Links.Host;
using Tunnel.Links.Host.Filtering;

namespace Tunnel.Tests.Links;

public sealed partial class FirewallTests
{
    private static readonly FirewallRules Server = new() { Role = FirewallRole.Server, FirstPort = 29871 };

    private static readonly FirewallRules Client = new()
    {
        Role = FirewallRole.Client,
        FirstPort = 40000,
        LastPort = 40003,
        RemotePort = 9999,
        LocalAddresses = [IPAddress.Parse("10.0.0.1"), IPAddress.Parse("fe80::1%3"), IPAddress.Parse("10.0.0.2")],
    };

    /// <summary>Other connections of the host may have the same ports, of others than the server.</summary>
    [Fact]
    public void Rules_of_a_client_are_for_its_server_alone()
    {
        FirewallRules rules = Client with { LocalAddresses = [IPAddress.Parse("10.0.0.1")], RemoteAddress = IPAddress.Parse("192.0.2.1") };
        string script = NftBackend.Script(rules, FirewallOwner.Self);
        Assert.Contains("ip daddr { 10.0.0.1 } ip saddr 192.0.2.1 tcp dport 40000-40003 tcp sport 9999 drop", script, StringComparison.Ordinal);
        Assert.Contains("ip saddr { 10.0.0.1 } ip daddr 192.0.2.1 tcp sport 40000-40003 tcp dport 9999 notrack", script, StringComparison.Ordinal);
        IReadOnlyList<string> commands = Firewall.ManualCommands(rules)[1].Install;
        Assert.Contains("iptables -t raw -A tunnel_40000_i -p tcp -d 10.0.0.1 -s 192.0.2.1 --dport 40000:40003 --sport 9999 -j DROP", commands);
        Assert.Contains("iptables -t raw -A tunnel_40000_o -p tcp -s 10.0.0.1 -d 192.0.2.1 --sport 40000:40003 --dport 9999 -j CT --notrack", commands);
    }

    [Fact]
    public void Nft_script_of_a_server() => Assert.Equal(
        """
        add table inet tunnel_29871
        delete table inet tunnel_29871
        table inet tunnel_29871 {
            chain owner_1_2_3 {
            }
            chain prerouting {
                type filter hook prerouting priority raw; policy accept;
                tcp dport 29871 drop
            }
            chain output {
                type filter hook output priority raw; policy accept;
                tcp sport 29871 tcp flags & rst == rst drop
                tcp sport 29871 notrack
            }
        }

        """,
        NftBackend.Script(Server, new FirewallOwner(1, 2, 3)));

    [Fact]
    public void Nft_script_of_a_client_with_addresses_names_both_ends()
    {
        string script = NftBackend.Script(Client, FirewallOwner.Self);
        Assert.Contains("ip daddr { 10.0.0.1, 10.0.0.2 } tcp dport 40000-40003 tcp sport 9999 drop", script, StringComparison.Ordinal);
        Assert.Contains("ip6 saddr { fe80::1 } tcp sport 40000-40003 tcp dport 9999 tcp flags & rst == rst drop", script, StringComparison.Ordinal);
    }

    [Fact]
    public void Manual_commands_of_both_tools()
    {
        IReadOnlyList<ManualCommands> all = Firewall.ManualCommands(Server);
        Assert.Equal(
            [
                "nft add table inet tunnel_29871",
                "nft add chain inet tunnel_29871 prerouting '{ type filter hook prerouting priority raw; policy accept; }'",
                "nft add rule inet tunnel_29871 prerouting 'tcp dport 29871 drop'",
                "nft add chain inet tunnel_29871 output '{ type filter hook output priority raw; policy accept; }'",
                "nft add rule inet tunnel_29871 output 'tcp sport 29871 tcp flags & rst == rst drop'",
                "nft add rule inet tunnel_29871 output 'tcp sport 29871 notrack'",
            ],
            all[0].Install);
        Assert.Equal(["nft delete table inet tunnel_29871"], all[0].Remove);
        Assert.Contains(
            "iptables -t raw -A tunnel_29871_o -p tcp --sport 29871 --tcp-flags RST RST -j DROP", all[1].Install);
        Assert.Contains("ip6tables -t raw -I OUTPUT -j tunnel_29871_o", all[1].Install);
        Assert.Equal(12, all[1].Remove.Count);
    }

    [Fact]
    public void Without_any_tool_the_error_has_the_commands()
    {
        RunTool none = (_, _, _) => new ToolResult(-1, string.Empty, string.Empty, IsMissing: true);
        var e = Assert.Throws<LinkException>(() => Firewall.Install(Server, FirewallBackends.All(none)));
        Assert.Equal(LinkFault.MissingDependency, e.Fault);
        foreach (string command in Firewall.ManualCommands(Server).SelectMany(m => m.Install))
            Assert.Contains(command, e.Message, StringComparison.Ordinal);
    }

    /// <summary>Else a person makes rules for a port that nobody has after the next start.</summary>
    [Fact]
    public void The_commands_for_a_random_port_come_with_the_setting_that_keeps_it()
    {
        RunTool none = (_, _, _) => new ToolResult(-1, string.Empty, string.Empty, IsMissing: true);
        string Told(FirewallRules rules) => Assert.Throws<LinkException>(() => Firewall.Install(rules, FirewallBackends.All(none))).Message;
        Assert.EndsWith(
            "\nPort 40000 is this try's alone: set network.ipv4.port first, and run the commands with that number",
            Told(Client with { PortSetting = "network.ipv4.port" }), StringComparison.Ordinal);
        Assert.DoesNotContain("alone", Told(Client), StringComparison.Ordinal);
    }

    [Fact]
    public void Iptables_takes_over_when_nft_fails_and_cleans_up_after_itself()
    {
        var kernel = new FakeIptables();
        Firewall firewall = Firewall.Install(Client, FirewallBackends.All(kernel.Run));
        Assert.Equal("iptables", firewall.Tool);
        Assert.Equal(FirewallState.Intact, firewall.Check());
        Assert.Contains("-A PREROUTING -j tunnel_40000_i", kernel.Lines("iptables"));
        Assert.Contains(
            "-A tunnel_40000_o -p tcp -s fe80::1 --sport 40000:40003 --dport 9999 --tcp-flags RST RST -j DROP", kernel.Lines("ip6tables"));
        Assert.All(kernel.Lines("iptables").Where(l => l.StartsWith("-N", StringComparison.Ordinal)), l => Assert.InRange(l.Length, 1, 3 + 28));
        Assert.Empty(Firewall.CleanUpStale(FirewallBackends.All(kernel.Run)));

        string[] whole = [.. kernel.Lines("iptables").Order()];
        foreach (string lost in (string[])["-A PREROUTING -j tunnel_40000_i", "-A OUTPUT -j tunnel_40000_o"])
        {
            Assert.True(kernel.Lines("iptables").Remove(lost));
            Assert.Equal(FirewallState.Reinstalled, firewall.Check());
            Assert.Equal(FirewallState.Intact, firewall.Check());
            Assert.Equal(whole, kernel.Lines("iptables").Order());
        }

        firewall.Remove();
        Assert.Empty(kernel.Lines("iptables"));
        Assert.Empty(kernel.Lines("ip6tables"));
    }

    [Fact]
    public void Iptables_chains_of_a_dead_process_are_stale()
    {
        var kernel = new FakeIptables();
        new IptablesBackend(kernel.Run).Install(Server, FirewallOwner.Self with { StartTime = 1 });
        Assert.Equal(["tunnel_29871"], Firewall.CleanUpStale(FirewallBackends.All(kernel.Run)));
        Assert.Empty(kernel.Lines("iptables"));
    }

    [Fact]
    public void Owner_survives_its_text_and_judges_the_living()
    {
        FirewallOwner self = FirewallOwner.Self;
        Assert.Equal(self, FirewallOwner.Parse(self.ToString()));
        Assert.False(self.IsDead);
        Assert.False(self.IsAliveElsewhere);
        Assert.True((self with { ProcessId = int.MaxValue }).IsDead);
        Assert.False((self with { ProcessId = int.MaxValue, PidNamespace = 1 }).IsDead);
        Assert.Null(FirewallOwner.Parse("1_2"));
        Assert.Null(FirewallOwner.Parse("x_2_3"));
    }

    [Fact]
    public void Nft_in_a_namespace_installs_heals_removes_and_cleans_up()
    {
        using Space space = Space.OrSkip();
        IReadOnlyList<IFirewallBackend> backends = FirewallBackends.All(space.Run);
        using Firewall firewall = Firewall.Install(Client, backends);
        using Firewall other = Firewall.Install(Server, backends);
        Assert.Equal("nft", firewall.Tool);
        Assert.Equal(FirewallState.Intact, firewall.Check());

        space.Run("nft", ["flush", "ruleset"]);
        Assert.Equal(FirewallState.Reinstalled, firewall.Check());
        space.Run("nft", ["flush", "chain", "inet", "tunnel_40000", "output"]);
        Assert.Equal(FirewallState.Reinstalled, firewall.Check());
        Assert.Equal(FirewallState.Reinstalled, other.Check());
        Assert.Empty(Firewall.CleanUpStale(backends));

        // A dead process's table goes; one by hand, without an owner, and a foreign one stay.
        FirewallRules dead = Server with { FirstPort = 29000 };
        new NftBackend(space.Run).Install(dead, FirewallOwner.Self with { StartTime = 1 });
        space.Run("nft", ["add", "table", "inet", "tunnel_29001"]);
        Assert.Equal(["tunnel_29000"], Firewall.CleanUpStale(backends));

        firewall.Remove();
        Assert.Equal(["tunnel_29001", "tunnel_29871"], new NftBackend(space.Run).Names().Order());
    }

    [Fact]
    public void Rules_of_a_living_process_are_not_taken()
    {
        using Space space = Space.OrSkip();
        var parent = FirewallOwner.Parse(FirewallOwner.Self.ToString())! with { ProcessId = 1 };
        string stat = File.ReadAllText("/proc/1/stat");
        long start = long.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19]);
        new NftBackend(space.Run).Install(Server, parent with { StartTime = start });
        var e = Assert.Throws<LinkException>(() => Firewall.Install(Server, FirewallBackends.All(space.Run)));
        Assert.Equal(LinkFault.PortInUse, e.Fault);
    }

    [Fact]
    public void Kernel_stays_silent_on_our_port_and_speaks_on_all_others()
    {
        using Space space = Space.OrSkip();
        using TestHost.VethPair veth = TestHost.NewVeth();
        TestHost.Run($"ip link set {veth.Right} netns {space.Name}");
        TestHost.Run($"ip -n {space.Name} addr add 10.77.4.2/24 dev {veth.Right}");
        TestHost.Run($"ip -n {space.Name} link set {veth.Right} up");
        TestHost.Run($"ip addr add 10.77.4.1/24 dev {veth.Left}");
        using Socket listener = space.Listen(29872);
        using Firewall firewall = Firewall.Install(Server, FirewallBackends.All(space.Run));

        using Socket guarded = NewSocket();
        Task attempt = guarded.ConnectAsync("10.77.4.2", 29871);
        using Socket refused = NewSocket();
        Assert.Equal(
            SocketError.ConnectionRefused, Assert.Throws<SocketException>(() => refused.Connect("10.77.4.2", 29873)).SocketErrorCode);
        using Socket accepted = NewSocket();
        accepted.Connect("10.77.4.2", 29872);
        Assert.False(attempt.IsCompleted);

        // Once the rules are gone, the next of the kernel's attempts is answered with the RST.
        firewall.Remove();
        var e = Assert.Throws<SocketException>(() => attempt.WaitAsync(TimeSpan.FromSeconds(30)).GetAwaiter().GetResult());
        Assert.Equal(SocketError.ConnectionRefused, e.SocketErrorCode);
    }

    private static Socket NewSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    /// <summary>A network namespace in which tools run.</summary>
    private sealed partial class Space : IDisposable
    {
        private static int _serial;

        private Space() => TestHost.Run($"ip netns add {Name}");

        public string Name { get; } = $"tl-{Environment.ProcessId}f{Interlocked.Increment(ref _serial)}";

        public static Space OrSkip()
        {
            Requires.Namespaces();
            Requires.Tool("nft");
            return new Space();
        }

        public ToolResult Run(string tool, IReadOnlyList<string> arguments, string? input = null) => Requires.HasTool(tool)
            ? ToolRunner.Run("ip", ["netns", "exec", Name, tool, .. arguments], input)
            : new ToolResult(-1, string.Empty, string.Empty, IsMissing: true);

        /// <summary>A listening socket inside: a socket belongs to the namespace of the thread that creates it, also when that has ended.</summary>
        public Socket Listen(int port)
        {
            Socket? socket = null;
            using SafeFileHandle space = File.OpenHandle($"/run/netns/{Name}");
            var thread = new Thread(() =>
            {
                if (SetNamespace((int)space.DangerousGetHandle(), 0x40000000) == 0)
                    socket = NewSocket();
            });
            thread.Start();
            thread.Join();
            Assert.NotNull(socket);
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            socket.Listen();
            return socket;
        }

        public void Dispose() => TestHost.Run($"ip netns del {Name}");

        [LibraryImport("libc", EntryPoint = "setns")]
        private static partial int SetNamespace(int descriptor, int kind);
    }

    /// <summary>Enough of iptables and iptables-restore for a raw table: -A, -I, -D, -F, -X and -S. There is no nft.</summary>
    private sealed class FakeIptables
    {
        private readonly Dictionary<string, List<string>> _lines = new() { ["iptables"] = [], ["ip6tables"] = [] };

        public List<string> Lines(string tool) => _lines[tool];

        public ToolResult Run(string tool, IReadOnlyList<string> arguments, string? input = null)
        {
            if (!_lines.TryGetValue(tool.Replace("-restore", string.Empty), out List<string>? lines))
                return new ToolResult(1, string.Empty, "Operation not supported");
            if (tool.EndsWith("-restore", StringComparison.Ordinal))
                return Restore(lines, arguments, input!);
            return Apply(lines, [.. arguments.Skip(4)]);
        }

        /// <summary>All of it or nothing.</summary>
        private static ToolResult Restore(List<string> lines, IReadOnlyList<string> arguments, string input)
        {
            Assert.Equal(["-w", "5", "--noflush"], arguments);
            string[] script = input.Split('\n');
            Assert.Equal("*raw", script[0]);
            Assert.Equal(["COMMIT", string.Empty], script[^2..]);
            List<string> changed = [.. lines];
            foreach (string line in script[1..^2])
            {
                ToolResult result = line[0] == ':' ? NameChain(changed, line[1..line.IndexOf(' ')]) : Apply(changed, line.Split(' '));
                if (!result.Succeeded)
                    return result;
            }

            lines.Clear();
            lines.AddRange(changed);
            return default;
        }

        private static ToolResult NameChain(List<string> lines, string chain)
        {
            if (!lines.Contains("-N " + chain))
                lines.Add("-N " + chain);
            return Apply(lines, ["-F", chain]);
        }

        private static ToolResult Apply(List<string> lines, string[] command)
        {
            string rest = string.Join(' ', command.Skip(1));
            switch (command[0])
            {
                case "-S":
                    return new ToolResult(0, string.Join('\n', lines), string.Empty);
                case "-A" or "-I":
                    lines.Add("-A " + rest);
                    break;
                case "-D":
                    return lines.Remove("-A " + rest) ? default : new ToolResult(1, string.Empty, "No such rule");
                case "-F":
                    lines.RemoveAll(l => l.StartsWith($"-A {rest} ", StringComparison.Ordinal));
                    break;
                case "-X" when lines.Exists(l => l.EndsWith("-j " + rest, StringComparison.Ordinal)):
                    return new ToolResult(1, string.Empty, "Too many links.");
                case "-X":
                    lines.Remove("-N " + rest);
                    break;
            }

            return default;
        }
    }
}
