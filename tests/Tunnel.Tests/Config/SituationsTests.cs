using System.Net;
using Tunnel.App.Config;

namespace Tunnel.Tests.Config;

/// <summary>The folders of configs, other than those about deployment: exactly two files each, which load and fit together.</summary>
public class SituationsTests
{
    private static readonly string[] Deployments = ["systemd", "kubernetes"];

    /// <summary>The folders, and the one of a deployment that has such files, too.</summary>
    public static TheoryData<string> Pairs => [.. Situations, "kubernetes"];

    public static TheoryData<string> Folders => [.. Situations];

    private static IEnumerable<string> Situations =>
        Directory.GetDirectories(Repository.PathOf("configs")).Select(folder => Path.GetFileName(folder)).Except(Deployments);

    [Theory]
    [MemberData(nameof(Folders))]
    public void ThereAreTwoFiles(string folder) => Assert.Equal(
        ["client.toml", "server.toml"],
        Directory.GetFileSystemEntries(Path.Combine(Repository.PathOf("configs"), folder)).Select(entry => Path.GetFileName(entry)).Order());

    [Theory]
    [MemberData(nameof(Pairs))]
    public void BothFilesLoadAndFit(string folder)
    {
        string path = Path.Combine(Repository.PathOf("configs"), folder);
        ConfigResult<ClientConfig> client = ConfigLoader.LoadClient(Path.Combine(path, "client.toml"));
        ConfigResult<ServerConfig> server = ConfigLoader.LoadServer(Path.Combine(path, "server.toml"));
        Assert.Equal("", client.DescribeProblems());
        Assert.Equal("", server.DescribeProblems());
        Assert.All(client.Config!.Servers, s => Assert.Equal((s.Address!.Port, s.Ports), (server.Config!.Port, server.Config.Ports)));
        // Caps are each end's own.
        KcpConfig kcp = server.Config!.Transport.Kcp;
        KcpConfig own = client.Config!.Transport.Kcp with { MaxSessions = kcp.MaxSessions, MaxStreamsTotal = kcp.MaxStreamsTotal };
        Assert.Equal(own, kcp);
        Assert.Equal(client.Config.Transport.Profile, server.Config.Transport.Profile);
        Assert.Equal(client.Config.Network.Link, server.Config.Network.Link);
        Assert.Contains("replace it", Assert.Single(client.Warnings).What);
    }

    [Fact]
    public void AllSituationsAreThere() => Assert.Equal(
        ["forward", "kcptun-peer", "paqet-fork-peer", "paqet-peer", "reverse", "socks5", "udp"],
        Situations.Order());

    [Theory]
    [InlineData("client.toml")]
    [InlineData("server.toml")]
    public void TheFirstExampleIsShort(string file) =>
        Assert.InRange(File.ReadAllLines(Path.Combine(Repository.PathOf("configs"), "socks5", file)).Length, 1, 8);

    [Fact]
    public void PeersGetWhatTheyKnow()
    {
        KcpConfig paqet = ConfigLoader.LoadServer(Path.Combine(Repository.PathOf("configs"), "paqet-peer", "server.toml")).Config!.Transport.Kcp;
        Assert.Equal((KcpBlock.Aes, null), (paqet.Block, paqet.Guard));

        ClientConfig fork = ConfigLoader.LoadClient(Path.Combine(Repository.PathOf("configs"), "paqet-fork-peer", "client.toml")).Config!;
        Assert.Equal(HeaderDialect.V3, fork.Transport.Header);

        ServerConfig kcptun = ConfigLoader.LoadServer(Path.Combine(Repository.PathOf("configs"), "kcptun-peer", "server.toml")).Config!;
        Assert.Equal(new IPEndPoint(IPAddress.Parse("192.0.2.80"), 80), new IPEndPoint(kcptun.Target!.Literal!, kcptun.Target.Port));
    }
}
