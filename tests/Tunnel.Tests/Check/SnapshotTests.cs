using Tunnel.Ctl.Check;
using Tunnel.Ctl.Check.Snapshots;

namespace Tunnel.Tests.Check;

public sealed class SnapshotTests : IDisposable
{
    private readonly FixtureHost _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public async Task ItIsReadAsItWasWritten()
    {
        Snapshot snapshot = Snapshot.Of(await _host.CheckAsync());
        string path = _host.PathOf("/a.json");
        snapshot.Create(path);
        Snapshot read = Snapshot.Read(path);
        Assert.Equal(snapshot.Settings, read.Settings);
        Assert.Equal(snapshot.Counters, read.Counters);
        Assert.Equal(snapshot.Host, read.Host);
        Assert.Equal("4096", read.Settings["net.core.somaxconn"]);
        Assert.Equal("rx 512 tx 512", read.Settings["nic.rings"]);
        Assert.Equal(4622, read.Counters["irq.38.cpu1"]);
        Assert.Throws<IOException>(() => snapshot.Create(path));
    }

    /// <summary>The kernel's keys are no settings.</summary>
    [Fact]
    public async Task NoSecretIsKept() =>
        Assert.DoesNotContain(Snapshot.Of(await _host.CheckAsync()).Settings.Values, v => v.Contains("00:11:22"));

    [Fact]
    public async Task WhatChangedIsTold()
    {
        Snapshot before = Snapshot.Of(await _host.CheckAsync());
        _host.Write("/proc/sys/net/core/somaxconn", "65535\n")
            .Write("/proc/net/softnet_stat", FixtureFiles.Softnet.Replace("000186a0 00000000 00000003", "000186a5 00000000 00000004"));
        Snapshot after = Snapshot.Of(await _host.CheckAsync());
        var diff = SnapshotDiff.Of(before, after with { Host = after.Host with { Time = before.Host.Time.AddSeconds(2) } });
        Assert.Equal([new SettingChange("net.core.somaxconn", "4096", "65535")], diff.Settings);
        Assert.Equal(("net.core.somaxconn", FindingVerdict.Good), (diff.Findings.Single().Name, diff.Findings.Single().After));
        Assert.Equal([new CounterChange("softnet.cpu0.processed", 5, 2.5), new CounterChange("softnet.cpu0.squeezed", 1, 0.5)], diff.Counters);
        var text = new StringWriter();
        diff.Print(text);
        Assert.Contains("net.core.somaxconn: 4096 -> 65535", text.ToString());
        Assert.Contains("softnet.cpu0.processed: +5 (2.5/s)", text.ToString());
    }

    [Fact]
    public async Task CountersOfAnotherBootAreNotCompared()
    {
        Snapshot before = Snapshot.Of(await _host.CheckAsync());
        Assert.Null(SnapshotDiff.Of(before, before with { Boot = "another" }).Counters);
        Assert.Null(SnapshotDiff.Of(before, before with { Host = before.Host with { Name = "another" } }).Counters);
        Assert.Empty(SnapshotDiff.Of(before, before).Counters!);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("{\"schema\":9}")]
    public void AnythingElseIsNoSnapshot(string text)
    {
        _host.Write("/a.json", text);
        Assert.Throws<IOException>(() => Snapshot.Read(_host.PathOf("/a.json")));
    }
}
