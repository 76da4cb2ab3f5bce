using System.Net;
using Tunnel.App.Config;

namespace Tunnel.Tests.Config;

/// <summary>Who is allowed and who is denied, as the file's rules say.</summary>
public class TargetPolicyTests
{
    [Theory]
    [InlineData("", "", "203.0.113.1", 80, true)]
    [InlineData("", "'10.0.0.0/8'", "10.255.0.1", 80, false)]
    [InlineData("", "'10.0.0.0/8'", "11.0.0.0", 80, true)]
    [InlineData("", "'10.0.0.0/8'", "::ffff:10.0.0.1", 80, false)]
    [InlineData("", "'::ffff:10.0.0.0/104'", "10.0.0.1", 80, false)]
    [InlineData("", "'::ffff:10.0.0.0/104'", "::ffff:10.0.0.1", 80, false)]
    [InlineData("", "'127.0.0.0/8'", "0.0.0.0", 80, false)]
    [InlineData("", "'127.0.0.0/8'", "::ffff:0.0.0.0", 80, false)]
    [InlineData("", "'::1'", "::", 80, false)]
    [InlineData("", "'0.0.0.0/8'", "0.0.0.0", 80, false)]
    [InlineData("", "'127.0.0.0/8'", "0.0.0.1", 80, true)]
    [InlineData("", "'10.0.0.0/8:80'", "10.0.0.1", 80, false)]
    [InlineData("", "'10.0.0.0/8:80'", "10.0.0.1", 81, true)]
    [InlineData("", "'10.0.0.1'", "10.0.0.1", 1, false)]
    [InlineData("", "'10.0.0.1'", "10.0.0.2", 1, true)]
    [InlineData("", "'0.0.0.0/0'", "192.0.2.1", 1, false)]
    [InlineData("", "'0.0.0.0/0'", "2001:db8::1", 1, true)]
    [InlineData("", "'::1/128'", "::1", 1, false)]
    [InlineData("", "'::1'", "::1", 1, false)]
    [InlineData("", "'fd00::/8'", "fdff::1", 65535, false)]
    [InlineData("", "'fe80::/10'", "fe80::1%2", 22, false)]
    [InlineData("", "'[fd00::/8]:443'", "fd00::1", 443, false)]
    [InlineData("", "'[fd00::/8]:443'", "fd00::1", 444, true)]
    [InlineData("", "'[fd00::1]'", "fd00::1", 444, false)]
    [InlineData("", "'*:25'", "192.0.2.1", 25, false)]
    [InlineData("", "'*:25'", "2001:db8::1", 26, true)]
    [InlineData("", "'*:1-1024'", "192.0.2.1", 1024, false)]
    [InlineData("", "'*:1-1024'", "192.0.2.1", 1025, true)]
    [InlineData("", "'*'", "192.0.2.1", 1, false)]
    [InlineData("'192.0.2.0/24'", "", "192.0.2.9", 1, true)]
    [InlineData("'192.0.2.0/24'", "", "192.0.3.9", 1, false)]
    [InlineData("'192.0.2.0/24'", "'192.0.2.9'", "192.0.2.9", 1, false)]
    [InlineData("'192.0.2.9'", "'192.0.2.0/24'", "192.0.2.9", 1, false)]
    [InlineData("'*:443'", "'10.0.0.0/8'", "192.0.2.9", 443, true)]
    [InlineData("'*:443'", "'10.0.0.0/8'", "10.0.0.9", 443, false)]
    [InlineData("'*.example.com'", "", "192.0.2.9", 443, false)]
    public void Addresses(string allow, string deny, string address, int port, bool permitted) =>
        Assert.Equal(permitted, Policy(allow, deny).Permits(null, IPAddress.Parse(address), port));

    [Theory]
    [InlineData("", "'example.com'", "example.com", 1, false)]
    [InlineData("", "'example.com'", "EXAMPLE.com.", 1, false)]
    [InlineData("", "'example.com.'", "example.com", 1, false)]
    [InlineData("", "'example.com'", "a.example.com", 1, true)]
    [InlineData("", "'*.example.com'", "a.example.com", 1, false)]
    [InlineData("", "'*.example.com'", "a.b.Example.com.", 1, false)]
    [InlineData("", "'*.example.com'", "example.com", 1, true)]
    [InlineData("", "'*.example.com'", "notexample.com", 1, true)]
    [InlineData("", "'example.com:443'", "example.com", 443, false)]
    [InlineData("", "'example.com:443'", "example.com", 80, true)]
    [InlineData("'example.com'", "", "example.com", 80, true)]
    [InlineData("'example.com'", "", "example.org", 80, false)]
    [InlineData("'example.com', '203.0.113.0/24'", "", "example.org", 80, true)]
    [InlineData("'*.example.com'", "'secret.example.com'", "secret.example.com", 80, false)]
    [InlineData("'example.com'", "'203.0.113.7'", "example.com", 80, false)]
    [InlineData("", "'203.0.113.7'", "example.com", 80, false)]
    [InlineData("'*'", "'203.0.113.7:80'", "example.com", 81, true)]
    public void NamesThatResolveTo203_0_113_7(string allow, string deny, string name, int port, bool permitted) =>
        Assert.Equal(permitted, Policy(allow, deny).Permits(name, IPAddress.Parse("203.0.113.7"), port));

    [Theory]
    [InlineData("", "", true)]
    [InlineData("", "'203.0.113.7'", true)]
    [InlineData("", "'example.com:80'", false)]
    [InlineData("", "'*:80'", false)]
    [InlineData("'example.org'", "", false)]
    [InlineData("'example.com:81'", "", false)]
    [InlineData("'10.0.0.0/8:81'", "", false)]
    [InlineData("'10.0.0.0/8'", "", true)]
    [InlineData("'*.com'", "", true)]
    public void NamesWorthLookingUp(string allow, string deny, bool may) =>
        Assert.Equal(may, Policy(allow, deny).MayPermit("example.com", 80));

    [Theory]
    [InlineData("10.0.0.0/8")]
    [InlineData("10.0.0.0/8:80")]
    [InlineData("[fd00::/8]:1-1024")]
    [InlineData("fd00::/8")]
    [InlineData("*.example.com:443")]
    [InlineData("*")]
    public void RulesPrintAsTheyAreWritten(string rule) => Assert.Equal(rule, Assert.Single(Policy("", $"'{rule}'").Deny).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("10.0.0.1/8")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/8/8")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0.0/24")]
    [InlineData("10.0.0.0/+8")]
    [InlineData("10.1")]
    [InlineData("fd00::/129")]
    [InlineData("fd00::1/8")]
    [InlineData("fd00::/8:443")]
    [InlineData("[fd00::/8")]
    [InlineData("[fd00::/8]443")]
    [InlineData("[10.0.0.0/8]:80")]
    [InlineData("[example.com]:80")]
    [InlineData("fe80::1%2")]
    [InlineData("example.com:")]
    [InlineData("example.com:0")]
    [InlineData("example.com:65536")]
    [InlineData("example.com:2-1")]
    [InlineData("example.com:1-2-3")]
    [InlineData("example.com:-")]
    [InlineData("example.com/8")]
    [InlineData("a*.example.com")]
    [InlineData("*.*.example.com")]
    [InlineData("*.")]
    [InlineData("**")]
    [InlineData("a b")]
    public void NotRules(string rule)
    {
        ConfigProblem problem = Assert.Single(ConfigText.LoadServer(ConfigText.Server + $"[targets]\ndeny = ['*', '{rule}']").Problems);
        Assert.Equal((6, 14, "targets.deny"), (problem.Line, problem.Column, problem.Key));
        Assert.Contains("a network", problem.Allowed);
    }

    [Theory]
    [InlineData("'*'", 6, 9)]
    [InlineData("[1]", 6, 10)]
    public void NotLists(string value, int line, int column)
    {
        ConfigProblem problem = Assert.Single(ConfigText.LoadServer(ConfigText.Server + $"[targets]\nallow = {value}").Problems);
        Assert.Equal((line, column), (problem.Line, problem.Column));
    }

    [Fact]
    public void ByDefaultEverythingIsAllowed() =>
        Assert.Equal(TargetPolicy.Everything.ToString(), ConfigText.ValidServer(ConfigText.Server).Targets.ToString());

    private static TargetPolicy Policy(string allow, string deny) =>
        ConfigText.ValidServer(ConfigText.Server + $"[targets]\nallow = [{allow}]\ndeny = [{deny}]").Targets;
}
