using System.Net;
using System.Net.Sockets;
using Tunnel.App.Hosting;
using Tunnel.EndToEnd.Harness;

namespace Tunnel.EndToEnd.Startup;

/// <summary>What cannot start says why and what to do, in one message, and its exit code says the class.</summary>
[Collection(nameof(BadStartTests))]
public class BadStartTests : EndToEndTest
{
    [Fact(Timeout = Limit)]
    public async Task AMissingInterfaceIsNamedTogetherWithThoseThatExist()
    {
        Requires.Root();
        TunnelProcess server = Launch([Binaries.Server], TunnelSettings.PcapServer().With("network.interface", "nope0"));
        await ExpectAsync(server, ExitCode.Network, "there is no interface nope0", "lo");
    }

    /// <summary>Also where the kernel's routes would do without; a client tries again, for it may come later.</summary>
    [Fact(Timeout = Limit)]
    public async Task SoIsOneThatUdpShallKeepTo()
    {
        const string Says = "there is no interface nope0; there are: lo";
        TunnelProcess server = Launch([Binaries.Server], TunnelSettings.UdpServer(FreeUdpPort()).With("network.interface", "nope0"));
        await ExpectAsync(server, ExitCode.Network, Says);
        TunnelProcess client = Launch([Binaries.Client], TunnelSettings.UdpClient(FreeUdpPort()).WithSocks5().With("network.interface", "nope0"));
        await client.LineAsync(Says);
    }

    [Fact(Timeout = Limit)]
    public async Task ATakenUdpPortIsNamed()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int port = ((IPEndPoint)taken.LocalEndPoint!).Port;
        TunnelProcess server = Launch([Binaries.Server], TunnelSettings.UdpServer(port));
        await ExpectAsync(server, ExitCode.PortInUse, $"{port}", "ss -");
    }

    [Fact(Timeout = Limit)]
    public async Task ATakenPortOfAListenerIsNamed()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        string address = taken.LocalEndpoint.ToString()!;
        TunnelProcess client = Launch([Binaries.Client], TunnelSettings.UdpClient(1).WithSocks5(address));
        await ExpectAsync(client, ExitCode.PortInUse, address, "ss -");
    }

    [Fact(Timeout = Limit)]
    public async Task ASecondServerOnThePortOfRawSegmentsIsRefused()
    {
        Requires.Tool("nft");
        Namespaces hosts = await CreateNamespacesAsync();
        TunnelProcess first = await StartServerAsync(TunnelSettings.PcapServer(), hosts.Server);
        TunnelProcess second = Launch([Binaries.Server], TunnelSettings.PcapServer(), hosts.Server);
        await ExpectAsync(second, ExitCode.PortInUse, $"process {first.Id}", $"{TunnelSettings.ServerPort}");
    }

    /// <summary>Told to take a link, or left to choose.</summary>
    [Theory(Timeout = Limit)]
    [InlineData("pcap")]
    [InlineData(null)]
    public async Task RawSegmentsWithoutThePrivilegeSayWhichOneAndHowToGetIt(string? link)
    {
        Requires.Root();
        string[] parts = ["CAP_NET_RAW", "setcap", "network.link = \"udp\""];
        TunnelProcess server = Launch(
            [.. Unprivileged(), Binaries.Server], Linked(TunnelSettings.PcapServer().With("network.interface", "lo"), link));
        await ExpectAsync(server, ExitCode.Privilege, parts);
        TunnelProcess client = Launch([.. Unprivileged(), Binaries.Client], Linked(TunnelSettings.PcapClient("127.0.0.1").WithSocks5(), link));
        await ExpectAsync(client, ExitCode.Privilege, parts);
    }

    [Fact(Timeout = Limit)]
    public async Task WithoutLibpcapItsPackageIsNamed()
    {
        string[] hidden = await WithoutLibpcapAsync();
        TunnelProcess server = Launch([.. hidden, Binaries.Server], TunnelSettings.PcapServer().With("network.interface", "lo"));
        await ExpectAsync(server, ExitCode.MissingDependency, "libpcap is not installed", "libpcap0.8", "libpcap.so.1");
        TunnelProcess client = Launch([.. hidden, Binaries.Client], TunnelSettings.PcapClient("127.0.0.1").WithSocks5());
        await ExpectAsync(client, ExitCode.MissingDependency, "libpcap is not installed", "libpcap0.8");
    }

    [Fact(Timeout = Limit)]
    public async Task TheLinkThatIsChosenByItselfNeedsNoLibpcap()
    {
        string[] hidden = await WithoutLibpcapAsync();
        Namespaces hosts = await CreateNamespacesAsync();
        TunnelProcess server = Launch([.. hidden, Binaries.Server], TunnelSettings.PcapServer().Without("network.link"), hosts.Server);
        await server.ReadyAsync();
        await server.LineAsync("afpacket");
    }

    [Fact(Timeout = Limit)]
    public async Task TheUdpLinkNeedsNoPrivilege()
    {
        Requires.Root();
        int port = FreeUdpPort();
        TunnelProcess server = Launch([.. Unprivileged(), Binaries.Server], TunnelSettings.UdpServer(port));
        TunnelProcess client = Launch([.. Unprivileged(), Binaries.Client], TunnelSettings.UdpClient(port).WithSocks5());
        await server.ReadyAsync();
        await client.ConnectedAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task AllMistakesInAFileAreReportedWithTheirPlaces()
    {
        TunnelProcess server = Launch([Binaries.Server], TunnelSettings.UdpServer(99999)
            .With("network.lnk", "udp")
            .With("transport.kcp.block", "aes-129")
            .With("transport.kcp.max_sessions", "many"));
        await ExpectAsync(
            server, ExitCode.Configuration, "listen.port: 99999", "network.lnk: unknown key", "transport.kcp.block: \"aes-129\"",
            "transport.kcp.max_sessions");
        Assert.All(server.Lines, line => Assert.Matches(@"\.toml:\d+:\d+: ", line));
    }

    [Fact(Timeout = Limit)]
    public async Task AFileThatIsNotThereIsAConfigurationError()
    {
        ToolResult result = await Tool.RunAsync(Binaries.Client, "--config", PathOf("none.toml"));
        Assert.Equal(ExitCode.Configuration, result.ExitCode);
        Assert.Contains("none.toml", result.Error);
    }

    [Fact(Timeout = Limit)]
    public async Task TheCommandLineExplainsItself()
    {
        foreach (string binary in new[] { Binaries.Client, Binaries.Server })
        {
            ToolResult help = await Tool.RunAsync(binary, "--help");
            Assert.Contains("--config", help.Expect());
            ToolResult version = await Tool.RunAsync(binary, "--version");
            Assert.Matches(@"^\d+\.\d+\.\d+", version.Expect());
            Assert.Equal(ExitCode.Usage, (await Tool.RunAsync(binary)).ExitCode);
            ToolResult wrong = await Tool.RunAsync(binary, "--config", "x.toml", "--wrong");
            Assert.Equal(ExitCode.Usage, wrong.ExitCode);
            Assert.Contains("--wrong", wrong.Error);
        }
    }

    /// <summary>Still the owner of the files, which another user might not reach, but without any capability.</summary>
    private static string[] Unprivileged()
    {
        Requires.Tool("setpriv");
        return ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
    }

    /// <summary>The loader finds an empty file under each of the library's names.</summary>
    private static async Task<string[]> WithoutLibpcapAsync()
    {
        Requires.Namespaces();
        Requires.Tool("unshare");
        Requires.Tool("ldconfig");
        string[] files =
        [
            .. (await Tool.RunAsync("ldconfig", "-p")).Expect().Split('\n')
                .Where(line => line.Contains("libpcap.so")).Select(line => line[(line.LastIndexOf(' ') + 1)..]),
        ];
        Requires.That(files.Length > 0, "needs libpcap, to hide it");
        string hide = string.Join(" && ", files.Select(file => $"mount --bind /dev/null {file}"));
        return ["unshare", "--mount", "sh", "-c", $"{hide} && exec \"$@\"", "sh"];
    }

    private static TunnelSettings Linked(TunnelSettings settings, string? link) =>
        link is null ? settings.Without("network.link") : settings.With("network.link", link);

    private static async Task ExpectAsync(TunnelProcess process, int exitCode, params string[] parts)
    {
        int code = await process.ExitAsync();
        Assert.True(exitCode == code, $"exit code {code}:\n{process.Text}");
        Assert.All(parts, part => Assert.Contains(part, process.Text));
        Assert.DoesNotContain("   at ", process.Text);
    }
}
