using Tunnel.Ctl.Check.Setting;
using Tunnel.Ctl.TuneLoop;
using Tunnel.Tests.Check;

namespace Tunnel.Tests.TuneLoop;

public sealed class HeldChangeTests : IDisposable
{
    private const string Somaxconn = "/proc/sys/net/core/somaxconn";

    private readonly FixtureHost _host = new();

    private string UndoPath => _host.PathOf("/undo.json");

    public void Dispose() => _host.Dispose();

    [Fact]
    public void ItIsUndoneAndLeavesNoFile()
    {
        Tuning tuning = new(_host.Context());
        using (var held = HeldChange.Apply(tuning, Planned(tuning), UndoPath))
        {
            Assert.Equal("65535", _host.Read(Somaxconn));
            Assert.Equal("4096\n", Assert.Single(UndoFile.Read(UndoPath).Changes).Before);
            Assert.Empty(held.Problems);
        }

        Assert.Equal("4096\n", _host.Read(Somaxconn));
        Assert.False(File.Exists(UndoPath));
    }

    [Fact]
    public void WhatIsKeptStaysWithWhatUndoesIt()
    {
        Tuning tuning = new(_host.Context());
        using (var held = HeldChange.Apply(tuning, Planned(tuning), UndoPath))
            held.Keep();
        Assert.Equal("65535", _host.Read(Somaxconn));
        Assert.Equal("65535", Assert.Single(UndoFile.Read(UndoPath).Changes).After);
    }

    /// <summary>Somebody else's change in the meantime is not undone, and the file stays for whoever wants to look.</summary>
    [Fact]
    public void WhatCannotBeUndoneIsSaid()
    {
        Tuning tuning = new(_host.Context());
        var held = HeldChange.Apply(tuning, Planned(tuning), UndoPath);
        _host.Write(Somaxconn, "77\n");
        held.Dispose();
        Assert.Contains("changed by somebody since, to 77", Assert.Single(held.Problems));
        Assert.Equal("77\n", _host.Read(Somaxconn));
        Assert.True(File.Exists(UndoPath));
        held.Dispose();
        Assert.Single(held.Problems);
    }

    [Fact]
    public void WhatTheKernelRefusesChangesNothing()
    {
        Tuning tuning = new(_host.Context());
        PlannedChange planned = Planned(tuning);
        _host.Remove(Somaxconn);
        Assert.Throws<TuningException>(() => HeldChange.Apply(tuning, planned, UndoPath));
        Assert.False(File.Exists(_host.PathOf(Somaxconn)));
    }

    /// <summary>A file that is there may be what undoes an earlier change.</summary>
    [Fact]
    public void NothingIsChangedWithoutAFileThatUndoesIt()
    {
        Tuning tuning = new(_host.Context());
        _host.Write("/undo.json", "{}");
        Assert.Throws<TuningException>(() => HeldChange.Apply(tuning, Planned(tuning), UndoPath));
        Assert.Equal("4096\n", _host.Read(Somaxconn));
    }

    private static PlannedChange Planned(Tuning tuning) => Assert.Single(tuning.Plan("somaxconn"));
}
