using System.Net;
using System.Text.RegularExpressions;
using Tunnel.App.Config;

namespace Tunnel.Tests.Config;

/// <summary>What the runbook tells people to write does what it says.</summary>
public partial class RunbookTests
{
    [Theory]
    [InlineData("127.0.0.1", 80, false)]
    [InlineData("::ffff:127.0.0.1", 80, false)]
    [InlineData("0.0.0.0", 80, false)]
    [InlineData("::", 80, false)]
    [InlineData("::1", 80, false)]
    [InlineData("10.1.2.3", 80, false)]
    [InlineData("192.168.1.1", 80, false)]
    [InlineData("169.254.169.254", 80, false)]
    [InlineData("fd00:ec2::254", 80, false)]
    [InlineData("64:ff9b::a9fe:a9fe", 80, false)]
    [InlineData("fe80::1%1", 80, false)]
    [InlineData("255.255.255.255", 80, false)]
    [InlineData("198.51.100.1", 25, false)]
    [InlineData("198.51.100.1", 443, true)]
    [InlineData("2606:4700::1111", 443, true)]
    public void TheTargetsThatItDenies(string address, int port, bool permitted)
    {
        string text = File.ReadAllText(Repository.PathOf("RUNBOOK.md"));
        string targets = TomlBlock().Matches(text).Select(m => m.Groups["text"].Value).Single(t => t.StartsWith("[targets]"));
        TargetPolicy policy = ConfigText.ValidServer(ConfigText.Server + targets).Targets;
        Assert.Equal(permitted, policy.Permits("any.example", IPAddress.Parse(address), port));
    }

    [GeneratedRegex("^```toml\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex TomlBlock();
}
