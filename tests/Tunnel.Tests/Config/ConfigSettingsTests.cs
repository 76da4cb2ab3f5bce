using Tunnel.App.Config;

namespace Tunnel.Tests.Config;

/// <summary>What another file changes, key by key.</summary>
public class ConfigSettingsTests
{
    [Theory]
    [InlineData("[transport]\ngrace = '3s'")]
    [InlineData("[transport]\ngrace = '3000ms'\ndial_timeout = 10")]
    [InlineData("# only words")]
    [InlineData("[targets]\ndeny = []")]
    public void TheSameMeaningIsNoChange(string toml) => Assert.Empty(ServerChanges("", toml));

    [Theory]
    [InlineData("[transport]\ngrace = '4s'", "transport.grace", true)]
    [InlineData("[transport]\nmemory = '1GiB'", "transport.memory", true)]
    [InlineData("[targets]\ndeny = ['10.0.0.0/8']", "targets.deny", true)]
    [InlineData("[log]\nlevel = 'debug'", "log.level", true)]
    [InlineData("[network]\ndscp = 1", "network.dscp", false)]
    [InlineData("[network.tcp]\nlocal_flag = ['PA', 'A']", "network.tcp.local_flag", false)]
    public void ChangesAreNamedByTheirKeys(string toml, string name, bool isLive)
    {
        Assert.Equal([new ConfigChange(name, isLive)], ServerChanges("", toml));
        Assert.Equal([new ConfigChange(name, isLive)], ServerChanges(toml, ""));
        Assert.Empty(ServerChanges(toml, toml));
    }

    [Fact]
    public void SecretsAreCompared()
    {
        ConfigSettings other = ConfigText.LoadServer(ConfigText.Server.Replace("\"k\"", "\"l\"")).Settings!;
        Assert.Equal([new ConfigChange("transport.kcp.key", false)], Settings("").ChangesTo(other));
    }

    [Fact]
    public void TablesThatMayBeRepeatedCountAsOneSetting()
    {
        const string Forward = "[[forward]]\nlisten='127.0.0.1:1'\ntarget='a:1'\n";
        ConfigSettings one = Client(Forward), two = Client(Forward.Replace("a:1", "a:2")), both = Client(Forward + Forward.Replace(":1'", ":3'"));
        Assert.Equal([new ConfigChange("[[forward]]", true)], one.ChangesTo(two));
        Assert.Equal([new ConfigChange("[[forward]]", true)], one.ChangesTo(both));
        Assert.Empty(one.ChangesTo(Client(Forward)));
    }

    private static IReadOnlyList<ConfigChange> ServerChanges(string before, string after) => Settings(before).ChangesTo(Settings(after));

    private static ConfigSettings Settings(string toml) => ConfigText.LoadServer(ConfigText.Server + toml).Settings!;

    private static ConfigSettings Client(string toml) => ConfigText.LoadClient(ConfigText.Client + toml).Settings!;
}
