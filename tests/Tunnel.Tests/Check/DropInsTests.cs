using Tunnel.Ctl.Check.Setting;

namespace Tunnel.Tests.Check;

public sealed class DropInsTests : IDisposable
{
    private const string SysctlFile = "/etc/sysctl.d/90-tunnel.conf";
    private const string ModulesFile = "/etc/modules-load.d/90-tunnel.conf";
    private const string UdevFile = "/etc/udev/rules.d/90-tunnel.rules";
    private const string UnitFile = "/etc/systemd/system/tunnel-server.service.d/90-tunnel.conf";

    private readonly FixtureHost _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public void WhatIsSetIsWritten()
    {
        _host.Write("/etc/systemd/system/tunnel-server.service", "[Service]\nLimitNOFILE=99\n");
        (IReadOnlyList<WrittenFile> written, IReadOnlyList<string> problems) = ApplyAndPersist(null);
        Assert.Empty(problems);
        Assert.Equal([SysctlFile, ModulesFile, UdevFile, UnitFile], written.Select(w => w.Path));
        string[] sysctl = _host.Read(SysctlFile).Split('\n');
        Assert.StartsWith("# Written by tunnelctl", sysctl[0]);
        Assert.Contains("net.core.somaxconn = 65535", sysctl);
        Assert.Contains("net.ipv4.tcp_rmem = 4096 131072 134217728", sysctl);
        Assert.DoesNotContain(sysctl, l => l.StartsWith("net.core.busy_poll"));
        Assert.Contains($"KERNEL==\"{FixtureHost.Interface}\", RUN+=\"/usr/sbin/ethtool -G {FixtureHost.Interface} rx 4096 tx 4096\"", _host.Read(UdevFile));
        Assert.Contains("LimitNOFILE=524288", _host.Read(UnitFile));
    }

    [Fact]
    public void OneKnobIsAddedToTheOthers()
    {
        ApplyAndPersist("somaxconn");
        Assert.Equal(2, _host.Read(SysctlFile).Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        ApplyAndPersist("rmem_max");
        Assert.Contains("net.core.somaxconn = 65535\nnet.core.rmem_max = 134217728\n", _host.Read(SysctlFile));
        _host.Write("/proc/sys/net/core/somaxconn", "70000\n");
        ApplyAndPersist("somaxconn");
        Assert.Equal(1, _host.Read(SysctlFile).Split('\n').Count(l => l.StartsWith("net.core.somaxconn")));
        Assert.Contains("net.core.somaxconn = 70000", _host.Read(SysctlFile));
    }

    [Fact]
    public void ARuleOfTheCardTakesThePlaceOfItsOlderOne()
    {
        ApplyAndPersist(null);
        int lines = _host.Read(UdevFile).Split('\n').Length;
        _host.Card.RingAnswer = new(new(8192, 8192, 8192, 8192), null);
        ApplyAndPersist("nic.rings");
        Assert.Equal(lines, _host.Read(UdevFile).Split('\n').Length);
        Assert.Contains("rx 8192 tx 8192", _host.Read(UdevFile));
    }

    /// <summary>At a start sysctl's files are read before the firewall loads it, and the setting has no file then.</summary>
    [Fact]
    public void TheModuleOfASettingIsLoadedBeforeIt()
    {
        ApplyAndPersist("somaxconn");
        Assert.False(File.Exists(_host.PathOf(ModulesFile)));
        (IReadOnlyList<WrittenFile> written, _) = ApplyAndPersist("nf_conntrack_max");
        Assert.Equal(["nf_conntrack", ""], _host.Read(ModulesFile).Split('\n')[1..]);
        Assert.Empty(DropIns.Revert(_host.Context(), written).Problems);
        Assert.False(File.Exists(_host.PathOf(ModulesFile)));
    }

    /// <summary>The name under which a card is added is seldom the one that it is known by; older versions wrote rules for that one alone.</summary>
    [Fact]
    public void ARuleHoldsForACardThatIsRenamed()
    {
        ApplyAndPersist("nic.rings");
        string now = _host.Read(UdevFile);
        Assert.Contains("ACTION==\"add|move\", SUBSYSTEM", now);
        _host.Write(UdevFile, now.Replace("add|move", "add"));
        ApplyAndPersist("nic.rings");
        Assert.Equal(now, _host.Read(UdevFile));
    }

    [Fact]
    public void WhatCouldNotBeSetIsNotWritten()
    {
        _host.Card.Refusal = "no";
        ApplyAndPersist(null);
        Assert.DoesNotContain("ethtool", _host.Read(UdevFile));
    }

    [Fact]
    public void SomebodyElsesFileIsLeft()
    {
        _host.Write(SysctlFile, "net.core.somaxconn = 1\n");
        (_, IReadOnlyList<string> problems) = ApplyAndPersist("somaxconn");
        Assert.Contains("somebody else", Assert.Single(problems));
        Assert.Equal("net.core.somaxconn = 1\n", _host.Read(SysctlFile));
    }

    [Fact]
    public void FilesAreTakenBack()
    {
        (IReadOnlyList<WrittenFile> first, _) = ApplyAndPersist("somaxconn");
        string between = _host.Read(SysctlFile);
        (IReadOnlyList<WrittenFile> second, _) = ApplyAndPersist("rmem_max");
        Assert.Contains("was changed by somebody since", Assert.Single(TakeBack(first, [])));
        Assert.Empty(TakeBack(second, second));
        Assert.Equal(between, _host.Read(SysctlFile));
        Assert.Empty(TakeBack(first, first));
        Assert.False(File.Exists(_host.PathOf(SysctlFile)));
        Assert.Empty(TakeBack(first, first));
    }

    /// <summary>An undo file may come from anywhere.</summary>
    [Fact]
    public void OnlyOwnFilesAreTakenBack()
    {
        _host.Write("/etc/passwd", "root\n");
        Assert.Single(TakeBack([new WrittenFile("/etc/passwd", "x", "root\n")], []));
        Assert.Single(TakeBack([new WrittenFile("/etc/sysctl.d/../passwd", null, "root\n")], []));
        Assert.Equal("root\n", _host.Read("/etc/passwd"));
    }

    /// <summary>What is said to be done is what was: a file that stays is not among it.</summary>
    private IReadOnlyList<string> TakeBack(IReadOnlyList<WrittenFile> files, IReadOnlyList<WrittenFile> done)
    {
        (IReadOnlyList<WrittenFile> undone, IReadOnlyList<string> problems) = DropIns.Revert(_host.Context(), files);
        Assert.Equal(done, undone);
        return problems;
    }

    private (IReadOnlyList<WrittenFile> Written, IReadOnlyList<string> Problems) ApplyAndPersist(string? only)
    {
        var tuning = new Tuning(_host.Context());
        AppliedTuning applied = tuning.Apply(tuning.Plan(only));
        return DropIns.Write(tuning.Context, only, [.. applied.Changes.Where(c => c.Problem is not null).Select(c => c.Name)]);
    }
}
