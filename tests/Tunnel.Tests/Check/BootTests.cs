using Tunnel.Ctl.Check;

namespace Tunnel.Tests.Check;

/// <summary>What the files say that the next start reads.</summary>
public sealed class BootTests : IDisposable
{
    private readonly FixtureHost _host = new();

    public void Dispose() => _host.Dispose();

    [Theory]
    [InlineData("net.core.somaxconn = 4096")]
    [InlineData("net/core/somaxconn=4096")]
    [InlineData("-net.core.somaxconn = 4096")]
    [InlineData("# net.core.somaxconn = 1\n; net.core.somaxconn = 2\nnet.core.somaxconn\n net.core.somaxconn = 4096 ")]
    [InlineData("net.ipv4.tcp_rmem = 4096 131072  6291456\nkernel.pid_max = 7\nnet.ipv4.conf.*.rp_filter = 1")]
    public async Task WhatIsSetAsTheFilesSayIsGood(string file)
    {
        _host.Write("/etc/sysctl.d/90-tunnel.conf", file + "\n");
        Finding finding = await _host.FindAsync("boot.sysctl");
        Assert.Equal(FindingVerdict.Good, finding.Verdict);
        Assert.StartsWith("in files: 1 of ", finding.Is);
    }

    /// <summary>By the files' names; a file hides its like in the folders behind; last of all the old one.</summary>
    [Theory]
    [InlineData("/etc/sysctl.d/90-tunnel.conf", "/etc/sysctl.d/99-other.conf", true)]
    [InlineData("/etc/sysctl.d/90-tunnel.conf", "/usr/lib/sysctl.d/95-other.conf", true)]
    [InlineData("/etc/sysctl.d/90-tunnel.conf", "/etc/sysctl.conf", true)]
    [InlineData("/etc/sysctl.d/90-tunnel.conf", "/etc/sysctl.d/10-other.conf", false)]
    [InlineData("/etc/sysctl.d/90-tunnel.conf", "/usr/lib/sysctl.d/90-tunnel.conf", false)]
    [InlineData("/etc/sysctl.d/90-tunnel.conf", "/etc/sysctl.d/99-other.conf.bak", false)]
    public async Task TheLastFileWins(string ours, string other, bool wins)
    {
        _host.Write(ours, "net.core.somaxconn = 4096\n").Write(other, "net.core.somaxconn = 128\n");
        Finding finding = await _host.FindAsync("boot.sysctl");
        Assert.Equal(wins ? FindingVerdict.Advice : FindingVerdict.Good, finding.Verdict);
        Assert.Equal(wins, finding.Is == $"net.core.somaxconn is 4096, and {other} sets 128");
        Assert.Equal(wins, finding.Command?.StartsWith("grep -rn net.core.somaxconn /etc/sysctl.conf /etc/sysctl.d", StringComparison.Ordinal) == true);
    }

    /// <summary>A setting that this kernel does not have cannot differ.</summary>
    [Fact]
    public async Task WhatIsNotThereIsNotCompared()
    {
        _host.Write("/etc/sysctl.conf", "net.core.somaxconn = 128\n");
        _host.Remove("/proc/sys/net/core/somaxconn");
        Assert.Equal(FindingVerdict.Good, (await _host.FindAsync("boot.sysctl")).Verdict);
    }
}
