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

    /// <summary>By the files' names; a file hides its like in the folders behind; last of all, without systemd, the old one.</summary>
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

    /// <summary>
    /// systemd reads the folders only. What it does not read undoes nothing, and what stands there alone is gone at the next start; where a link
    /// leads there from a folder (Debian 12), it comes when the link's name comes.
    /// </summary>
    [Theory]
    [InlineData("128", "4096", null, "")]
    [InlineData("4096", "", null, "net.core.somaxconn is set in /etc/sysctl.conf, which is not read at the start here: put it into a file in /etc/sysctl.d")]
    [InlineData("4096", "", "99-sysctl.conf", "")]
    [InlineData("128", "", "99-sysctl.conf", "net.core.somaxconn is 4096, and /etc/sysctl.d/99-sysctl.conf sets 128")]
    [InlineData("128", "4096", "50-sysctl.conf", "")]
    public async Task WithSystemdTheOldFileCountsWhereALinkLeadsToIt(string old, string ours, string? link, string says)
    {
        Directory.CreateDirectory(_host.PathOf("/run/systemd/system"));
        _host.Write("/etc/sysctl.conf", $"net.core.somaxconn = {old}\n").Write("/etc/sysctl.d/90-tunnel.conf", ours.Length == 0 ? "" : $"net.core.somaxconn = {ours}\n");
        if (link is not null)
            _host.Link($"/etc/sysctl.d/{link}", "../sysctl.conf");
        Finding finding = await _host.FindAsync("boot.sysctl");
        Assert.Equal(says.Length == 0 ? FindingVerdict.Good : FindingVerdict.Advice, finding.Verdict);
        if (says.Length != 0)
            Assert.Equal(says, finding.Is);
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
