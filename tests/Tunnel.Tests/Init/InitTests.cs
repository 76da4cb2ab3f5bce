using System.Net;
using Tunnel.App.Config;
using Tunnel.Ctl.Init;

namespace Tunnel.Tests.Init;

public sealed class InitTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tunnel-init-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("auto", "192.0.2.1:9999", "127.0.0.1:1080")]
    [InlineData("udp", "tunnel.example:443", "[::1]:1080")]
    [InlineData("pcap", "[2001:db8::1]:9999", "0.0.0.0:1080")]
    public void ThePairLoadsAndFits(string link, string server, string socks5)
    {
        IReadOnlyList<string> files = InitFiles.Write(Plan(link, server, socks5), _folder.FullName);
        ConfigResult<ServerConfig> s = ConfigLoader.LoadServer(files[1]);
        ConfigResult<ClientConfig> c = ConfigLoader.LoadClient(files[2]);
        Assert.True(s.IsValid && c.IsValid, s.DescribeProblems() + c.DescribeProblems());
        Assert.Empty(s.Warnings.Concat(c.Warnings));
        Assert.Equal(s.Config.Transport.Kcp.Key, c.Config.Transport.Kcp.Key);
        Assert.Equal((s.Config.Port, s.Config.Network.Link), (c.Config.FirstServer.Address!.Port, c.Config.Network.Link));
        Assert.Equal(IPEndPoint.Parse(socks5), Assert.Single(c.Config.Socks5).Listen);
        // An open proxy would be refused.
        Assert.Equal(socks5.StartsWith('0'), c.Config.Socks5[0].Credentials is not null);
        foreach (string file in files)
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, OperatingSystem.IsLinux() ? File.GetUnixFileMode(file) : default);
    }

    [Theory]
    [InlineData(InitPlan.KeyName)]
    [InlineData(InitPlan.ServerName)]
    [InlineData(InitPlan.ClientName)]
    public void NothingIsWrittenOver(string name)
    {
        string there = Path.Combine(_folder.FullName, name);
        File.WriteAllText(there, "mine");
        InitException e = Assert.Throws<InitException>(() => InitFiles.Write(Plan("udp", "192.0.2.1:9999", "127.0.0.1:1080"), _folder.FullName));
        Assert.Contains("is there already", e.Message);
        Assert.Equal("mine", File.ReadAllText(there));
        Assert.Single(_folder.GetFiles());
    }

    [Fact]
    public void AllOrNone()
    {
        InitException e = Assert.Throws<InitException>(() => InitFiles.Write(Plan("wireless", "192.0.2.1:9999", "127.0.0.1:1080"), _folder.FullName));
        Assert.Contains("network.link", e.Message);
        Assert.Empty(_folder.GetFiles());
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1:9999", 9999)]
    [InlineData("192.0.2.1:443", "192.0.2.1:443", 443)]
    [InlineData("tunnel.example", "tunnel.example:9999", 9999)]
    [InlineData("tunnel.example:8443", "tunnel.example:8443", 8443)]
    [InlineData("2001:db8::1", "[2001:db8::1]:9999", 9999)]
    [InlineData("[2001:db8::1]", "[2001:db8::1]:9999", 9999)]
    [InlineData("[2001:db8::1]:1", "[2001:db8::1]:1", 1)]
    public void Servers(string text, string server, int port)
    {
        Assert.Null(InitPlan.ParseServer(text, out string parsed, out int parsedPort));
        Assert.Equal((server, port), (parsed, parsedPort));
    }

    [Theory]
    [InlineData("")]
    [InlineData(":9999")]
    [InlineData("host:0")]
    [InlineData("host:65536")]
    [InlineData("host:port")]
    [InlineData("ho st:1")]
    [InlineData("host\":1")]
    [InlineData("host\n:1")]
    public void NoServers(string text) => Assert.NotNull(InitPlan.ParseServer(text, out _, out _));

    private static InitPlan Plan(string link, string server, string socks5)
    {
        Assert.Null(InitPlan.ParseServer(server, out string parsed, out int port));
        return new InitPlan { Server = parsed, Port = port, Link = link, Socks5 = IPEndPoint.Parse(socks5), Key = "the-key", Password = "the-password" };
    }
}
