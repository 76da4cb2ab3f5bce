using System.Text;
using Tunnel.App.Config;

namespace Tunnel.Tests.Config;

/// <summary>Small files, and what comes of them.</summary>
internal static class ConfigText
{
    public const string Server = "[listen]\nport = 9999\n[transport.kcp]\nkey = \"k\"\n";
    public const string Client =
        "[server]\naddress = \"192.0.2.1:9999\"\n[[socks5]]\nlisten = \"127.0.0.1:1080\"\n[transport.kcp]\nkey = \"k\"\n";

    public static ConfigResult<ServerConfig> LoadServer(string toml) =>
        ConfigLoader.LoadServer(Encoding.UTF8.GetBytes(toml), "server.toml");

    public static ConfigResult<ClientConfig> LoadClient(string toml) =>
        ConfigLoader.LoadClient(Encoding.UTF8.GetBytes(toml), "client.toml");

    public static ServerConfig ValidServer(string toml)
    {
        ConfigResult<ServerConfig> result = LoadServer(toml);
        Assert.Equal("", result.DescribeProblems());
        return result.Config!;
    }

    public static ClientConfig ValidClient(string toml)
    {
        ConfigResult<ClientConfig> result = LoadClient(toml);
        Assert.Equal("", result.DescribeProblems());
        return result.Config!;
    }
}
