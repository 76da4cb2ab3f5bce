using Tunnel.App.Config;

namespace Tunnel.Tests.Config;

/// <summary>[server] and [[server]]: where a client's servers are; [listen] ports.</summary>
public class RemoteServersTests
{
    private const string Rest = "[[socks5]]\nlisten='127.0.0.1:1080'\n[transport.kcp]\nkey='k'\n";

    [Fact]
    public void OneServerIsATable() => Assert.Equal(
        [new RemoteServerConfig(new HostPort("192.0.2.1", 9999), null, 1, 0, 1)],
        ConfigText.ValidClient($"[server]\naddress='192.0.2.1:9999'\n{Rest}").Servers);

    [Fact]
    public void SeveralServersAreAnArrayOfTables() => Assert.Equal(
        [
            new RemoteServerConfig(new HostPort("192.0.2.1", 9999), null, 3, 0, 1),
            new RemoteServerConfig(new HostPort("tunnel.example.net", 9999), null, 1, 10, 4),
            new RemoteServerConfig(null, "_tunnel._udp.example.net", 1, 0, 1),
        ],
        ConfigText.ValidClient(
            "[[server]]\naddress='192.0.2.1:9999'\nweight=3\n"
            + "[[server]]\naddress='tunnel.example.net:9999'\npriority=10\nports=4\n"
            + $"[[server]]\nsrv='_tunnel._udp.example.net.'\n{Rest}").Servers);

    [Theory]
    [InlineData("[server]\n", 1, 1, "server.address", "required")]
    [InlineData("[[server]]\n", 1, 1, "server.address", "required")]
    [InlineData("", 1, 1, "server.address", "required")]
    [InlineData("[server]\naddress='a:1'\nsrv='b'\n", 3, 5, "server.srv", "there is an address, too")]
    [InlineData("[server]\nsrv='b:1'\n", 2, 5, "server.srv", "\"b:1\" is not that")]
    [InlineData("[server]\nsrv='.'\n", 2, 5, "server.srv", "\".\" is not that")]
    [InlineData("[server]\naddress='a:1'\nweight=0\n", 3, 8, "server.weight", "out of range")]
    [InlineData("[server]\naddress='a:1'\npriority=-1\n", 3, 10, "server.priority", "out of range")]
    [InlineData("[server]\naddress='a:1'\nports=257\n", 3, 7, "server.ports", "out of range")]
    [InlineData("[server]\naddress='a:65535'\nports=2\n", 3, 7, "server.ports", "the last port would be 65536")]
    [InlineData("[[server]]\naddress='a:1'\n[[server]]\naddress='A:1'\n", 4, 9, "server", "another [[server]] \"A:1\"")]
    [InlineData("[[server]]\nsrv='a.b'\n[[server]]\nsrv='a.B.'\n", 4, 5, "server", "another [[server]] \"a.B\"")]
    [InlineData("[server]\naddress='a:1'\nwieght=2\n", 3, 1, "server.wieght", "did you mean \"weight\"?")]
    [InlineData("server='a:1'\n", 1, 1, "server", "this is a string")]
    public void Mistakes(string servers, int line, int column, string key, string what)
    {
        ConfigProblem problem = Assert.Single(ConfigText.LoadClient(servers + Rest).Problems);
        Assert.Equal((line, column, key), (problem.Line, problem.Column, problem.Key));
        Assert.Contains(what, problem.What);
    }

    [Fact]
    public void AFixedPortHasRoomForTheConnectionsToAllServers()
    {
        const string Two = "[[server]]\naddress='a:1'\n[[server]]\naddress='b:1'\n";
        Assert.Equal(65532, ConfigText.ValidClient($"{Two}{Rest}[transport]\nconn=2\n[network.ipv4]\nport=65532").Network.IPv4.Port);
        Assert.Contains(
            "4 connections take the ports 65533 to 65536",
            Assert.Single(ConfigText.LoadClient($"{Two}{Rest}[transport]\nconn=2\n[network.ipv4]\nport=65533").Problems).What);
    }

    [Fact]
    public void AServerMayListenOnSeveralPorts()
    {
        string text = ConfigText.Server.Replace("9999", "65530\nports = 6");
        Assert.Equal((65530, 6), (ConfigText.ValidServer(text).Port, ConfigText.ValidServer(text).Ports));
        Assert.Contains(
            "the last port would be 65536",
            Assert.Single(ConfigText.LoadServer(text.Replace("ports = 6", "ports = 7")).Problems).What);
    }
}
