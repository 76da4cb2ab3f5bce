using Tunnel.Ctl.Check;
using Tunnel.Ctl.Check.Knobs;
using Tunnel.Ctl.Check.Setting;

namespace Tunnel.Tests.Check;

/// <summary>What is set can be set back, word for word.</summary>
public sealed class TuningTests : IDisposable
{
    private const string Somaxconn = "/proc/sys/net/core/somaxconn";

    private readonly FixtureHost _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public void EverythingIsSetAndSetBack()
    {
        Dictionary<string, string> before = Everything();
        var tuning = new Tuning(_host.Context());
        AppliedTuning applied = tuning.Apply(tuning.Plan(null));
        Assert.All(applied.Changes, c => Assert.Null(c.Problem));
        Assert.Contains(applied.Changes, c => c.Name == "nic.rings");
        Assert.Equal("4096 131072 134217728", _host.Read("/proc/sys/net/ipv4/tcp_rmem"));
        Assert.Equal("32768", _host.Read($"/sys/class/net/{FixtureHost.Interface}/queues/rx-0/rps_flow_cnt"));
        Assert.Equal(4096u, _host.Card.RingAnswer.Value!.Rx);
        Assert.Empty(tuning.Plan(null));

        Assert.All(applied.Revert(), c => Assert.Null(c.Problem));
        // The masks are written by queue, and the kernel pads them itself.
        Assert.Equal(before.Where(e => !e.Key.Contains("rps_")), Everything().Where(e => !e.Key.Contains("rps_")));
        Assert.Equal("00000000,00000000", _host.Read($"/sys/class/net/{FixtureHost.Interface}/queues/rx-0/rps_cpus"));
        Assert.Equal(512u, _host.Card.RingAnswer.Value!.Rx);
    }

    [Fact]
    public void OneKnobLeavesTheOthers()
    {
        var tuning = new Tuning(_host.Context());
        AppliedTuning applied = tuning.Apply(tuning.Plan("somaxconn"));
        Assert.Equal(["net.core.somaxconn"], applied.Changes.Select(c => c.Name));
        Assert.Equal("65535", _host.Read(Somaxconn));
        Assert.Equal("1024\n", _host.Read("/proc/sys/net/ipv4/tcp_max_syn_backlog"));
    }

    /// <summary>A host that is tuned further is not tuned down.</summary>
    [Fact]
    public void NothingIsMadeWorse()
    {
        _host.Write(Somaxconn, "1000000\n").Write("/proc/sys/net/ipv4/tcp_rmem", "8192\t262144\t1\n");
        IReadOnlyList<PlannedChange> plan = new Tuning(_host.Context(TuningProfile.Small)).Plan(null);
        Assert.DoesNotContain(plan, c => c.Name == "net.core.somaxconn");
        Assert.Equal("8192 262144 6291456", plan.Single(c => c.Name == "net.ipv4.tcp_rmem").After);
    }

    [Fact]
    public void WhatSomebodyElseChangedSinceIsLeft()
    {
        var tuning = new Tuning(_host.Context());
        AppliedTuning applied = tuning.Apply(tuning.Plan("somaxconn"));
        _host.Write(Somaxconn, "777\n");
        Assert.Contains("changed by somebody since, to 777", Assert.Single(applied.Revert()).Problem);
        Assert.Equal("777\n", _host.Read(Somaxconn));
    }

    /// <summary>Twice is once.</summary>
    [Fact]
    public void RevertingAgainChangesNothing()
    {
        var tuning = new Tuning(_host.Context());
        AppliedTuning applied = tuning.Apply(tuning.Plan("somaxconn"));
        Assert.Null(Assert.Single(applied.Revert()).Problem);
        Assert.Null(Assert.Single(applied.Revert()).Problem);
        Assert.Equal("4096\n", _host.Read(Somaxconn));
    }

    [Fact]
    public void WhatTheCardRefusesIsToldAndNotUndone()
    {
        _host.Card.Refusal = "Operation not supported (errno 95)";
        var tuning = new Tuning(_host.Context());
        AppliedTuning applied = tuning.Apply(tuning.Plan(null));
        Assert.Equal(["nic.rings", "nic.coalescing"], applied.Changes.Where(c => c.Problem is not null).Select(c => c.Name));
        Assert.DoesNotContain(applied.Revert(), c => c.Name == "nic.rings");
    }

    /// <summary>A file that undoes nothing would be in the way of the next try, and its like would gather in /var/lib/tunnel.</summary>
    [Theory]
    [InlineData("rings", false, false)]
    [InlineData("rings", true, false)]
    [InlineData("somaxconn", false, true)]
    [InlineData(null, false, true)]
    public void AnUndoFileStaysWhereSomethingWasDone(string? only, bool persist, bool stays)
    {
        _host.Card.Refusal = "Operation not supported (errno 95)";
        string path = _host.PathOf("/undo/undo.json");
        var tuning = new Tuning(_host.Context());
        ApplyJson applied = ApplyRun.Apply(tuning, tuning.Plan(only), new ApplyOptions(only, true, path, persist, false));
        Assert.NotEmpty(applied.Changes);
        Assert.Equal(stays, File.Exists(path));
        Assert.Equal(stays ? path : null, applied.Undo);
        Assert.Empty(applied.Problems);
    }

    /// <summary>Of a card's queues one may take a value and the next refuse it.</summary>
    [Fact]
    public void WhatWasSetInPartIsUndone()
    {
        const string mask = $"/sys/class/net/{FixtureHost.Interface}/queues/rx-0/rps_cpus";
        string[] texts = [_host.Read(mask).Trim(), "3"];
        _host.Write(mask, "3\n");
        var half = new Change("nic.rps", $"rx-0={texts[0]}", $"rx-0={texts[1]}", "rx-1: Input/output error");
        Assert.Null(Assert.Single(new Tuning(_host.Context()).Revert([half])).Problem);
        Assert.Equal(texts[0], _host.Read(mask));
    }

    [Fact]
    public void AKnobThatIsNotKnownIsNotTouched()
    {
        var tuning = new Tuning(_host.Context());
        foreach (string name in new[] { "kernel.panic", "somaxconn", "/etc/passwd" })
            Assert.NotNull(Assert.Single(tuning.Revert([new Change(name, "1", "4096\n", null)])).Problem);
        Assert.Throws<TuningException>(() => Tuning.Apply("kernel.panic"));
    }

    [Fact]
    public void TheUndoFileIsReadAsItWasWritten()
    {
        string path = _host.PathOf("/undo/undo.json");
        UndoFile written = UndoFile.Of(_host.Context(), [new Change("a", "1\t2\n", "3", null)], [new WrittenFile("/p", null, "x")]);
        written.Create(path);
        Assert.Equal(written.Changes, UndoFile.Read(path).Changes);
        Assert.Equal(FixtureHost.Interface, UndoFile.Read(path).Interface);
        Assert.Throws<TuningException>(() => written.Create(path));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("{\"schema\":2,\"changes\":[],\"files\":[]}")]
    [InlineData("{\"schema\":1,\"changes\":[null],\"files\":[]}")]
    [InlineData("{\"schema\":1,\"changes\":null,\"files\":[]}")]
    [InlineData("not json")]
    public void AnythingElseIsNoUndoFile(string text)
    {
        _host.Write("/undo.json", text);
        Assert.Throws<TuningException>(() => UndoFile.Read(_host.PathOf("/undo.json")));
        Assert.Throws<TuningException>(() => UndoFile.Read(_host.PathOf("/missing.json")));
    }

    private Dictionary<string, string> Everything() => Directory
        .EnumerateFiles(_host.PathOf("/"), "*", SearchOption.AllDirectories).ToDictionary(f => f, File.ReadAllText);
}
