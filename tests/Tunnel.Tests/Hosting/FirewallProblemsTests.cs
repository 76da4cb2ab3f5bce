using Tunnel.App.Hosting;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Hosting;

/// <summary>What goes on for hours is told, and does not fill the log.</summary>
public class FirewallProblemsTests
{
    private readonly LogLines _lines = new();

    [Fact]
    public void RulesThatVanishEachRoundAreToldOfWithTheirNumber()
    {
        var problems = new FirewallProblems(_lines);
        for (int i = 0; i < 1000; i++)
            problems.Restored(9999);
        Assert.Equal(10, _lines.All.Length);
        Assert.Equal("the firewall rules for port 9999 were gone; they are installed again", _lines.All[0]);
        Assert.EndsWith("installed again, 512 times so far: something on this host removes them again and again", _lines.All[^1], StringComparison.Ordinal);
    }

    /// <summary>As with a client whose every try has another port, without a tool.</summary>
    [Fact]
    public void FailuresWithAnotherTextEachTimeAreToldOfWithTheirNumber()
    {
        var problems = new FirewallProblems(_lines);
        for (int port = 40_000; port < 40_100; port++)
            problems.Failed($"cannot install the firewall rules for port {port}");
        Assert.Equal(7, _lines.All.Length);
        Assert.Equal("cannot install the firewall rules for port 40000", _lines.All[0]);
        Assert.Contains("the 64th failure", _lines.All[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void TheSameFailureIsOneUntilItIsOver()
    {
        var problems = new FirewallProblems(_lines);
        problems.Failed("gone");
        problems.Failed("gone");
        Assert.Equal(["gone"], _lines.All);
        problems.Restored(1);
        problems.Failed("gone");
        Assert.Equal(3, _lines.All.Length);
    }
}
