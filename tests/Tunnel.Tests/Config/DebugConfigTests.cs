using System.Net;
using System.Text;
using Tunnel.App.Config;
using Tunnel.App.Config.Toml;

namespace Tunnel.Tests.Config;

/// <summary>[debug], and the configuration as it is shown.</summary>
public class DebugConfigTests
{
    private const string Token = "sixteen-bytes-ok";

    [Fact]
    public void WithoutTheTableNothingIsShown() => Assert.Equal(new DebugConfig(null, null), ConfigText.ValidServer(ConfigText.Server).Debug);

    [Theory]
    [InlineData("127.0.0.1:6060")]
    [InlineData("[::1]:0")]
    public void LoopbackNeedsNoToken(string listen) =>
        Assert.Equal(IPEndPoint.Parse(listen), ConfigText.ValidClient(ConfigText.Client + $"[debug]\npprof='{listen}'").Debug.Listen);

    [Theory]
    [InlineData("0.0.0.0:6060")]
    [InlineData("[::]:6060")]
    [InlineData("192.0.2.1:6060")]
    public void OtherAddressesNeedOne(string listen)
    {
        string problems = ConfigText.LoadServer(ConfigText.Server + $"[debug]\npprof='{listen}'").DescribeProblems();
        Assert.Contains("debug.pprof: anyone who reaches", problems);
        Assert.Contains("a token, or a loopback address", problems);
        DebugConfig debug = ConfigText.ValidServer(ConfigText.Server + $"[debug]\npprof='{listen}'\ntoken='{Token}'").Debug;
        Assert.Equal(Token, debug.Token!.Reveal());
    }

    [Fact]
    public void AShortTokenIsRefusedUnquoted()
    {
        string problems = ConfigText.LoadServer(ConfigText.Server + "[debug]\npprof='127.0.0.1:1'\ntoken='hunter2'").DescribeProblems();
        Assert.Contains("debug.token: this is too short", problems);
        Assert.DoesNotContain("hunter2", problems);
    }

    [Fact]
    public void WhatIsShownHasNoSecrets()
    {
        string toml = ConfigText.Client.Replace("\"k\"", "\"hunter2-key\"")
            + "[[socks5]]\nlisten='127.0.0.1:2'\nusername='hunter2-user'\npassword='hunter2-pass'\n[debug]\ntoken='hunter2-token-of-sixteen'";
        string shown = ConfigText.LoadClient(toml).Shown!.ToString();
        Assert.DoesNotContain("hunter2", shown);
        Assert.Equal(4, shown.Split("= \"***\"").Length - 1);
    }

    [Fact]
    public void WhatIsShownIsTheFileAndItsDefaults()
    {
        string shown = ConfigText.LoadServer("[listen]\nport=1_000\n[targets]\ndeny=['10.0.0.0/8', \"*:25\"]\n[transport.kcp]\nkey='a\"b'\nmode='fast'").Shown!.ToString();
        Assert.Empty(TomlDocument.Parse(Encoding.UTF8.GetBytes(shown)).Errors);
        Assert.Contains("\nport = 1000\n", shown);
        Assert.Contains("\ndeny = [\"10.0.0.0/8\", \"*:25\"]\n", shown);
        Assert.Contains("\nmode = \"fast\"\n", shown);
        Assert.Contains("\n#sndwnd = 2048\n", shown);
        // The mode decides these, and the client's tables are none of a server's business.
        Assert.DoesNotContain("nodelay", shown);
        Assert.DoesNotContain("[server]", shown);
    }

    [Fact]
    public void AReloadShowsWhatIsInForceAndWhatAwaitsARestart()
    {
        ShownConfig started = ConfigText.LoadServer(ConfigText.Server + "rcvwnd = 512").Shown!;
        ShownConfig file = ConfigText.LoadServer(
            ConfigText.Server.Replace("9999", "9998").Replace("\"k\"", "\"hunter2\"") + "sndwnd = 100\n[log]\nlevel = 'debug'").Shown!;
        string shown = started.WithReloaded(file, ["listen.port", "transport.kcp.key", "transport.kcp.rcvwnd", "transport.kcp.sndwnd"]);
        Assert.Contains("\nport = 9999\n# awaits a restart: port = 9998\n", shown);
        Assert.Contains("\nkey = \"***\"\n# awaits a restart: key = \"***\"\n", shown);
        // From a value to the default, and the other way round.
        Assert.Contains("\nrcvwnd = 512\n# awaits a restart: rcvwnd = 2048\n", shown);
        Assert.Contains("\n#sndwnd = 2048\n# awaits a restart: sndwnd = 100\n", shown);
        // Live: in force.
        Assert.Contains("\nlevel = \"debug\"\n", shown);
        Assert.Equal(4, shown.Split("awaits a restart").Length - 1);
        Assert.Empty(TomlDocument.Parse(Encoding.UTF8.GetBytes(shown)).Errors);
        Assert.Equal(file.ToString(), started.WithReloaded(file, []));
    }
}
