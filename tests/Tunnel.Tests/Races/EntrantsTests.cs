using Tunnel.Bench;
using Tunnel.Bench.Cables;
using Tunnel.Bench.Contenders;
using Tunnel.Bench.Loads;

namespace Tunnel.Tests.Races;

public class EntrantsTests
{
    private static readonly Contender[] All = Entrants.Of("bin", "/usr/bin/paqet", "");

    [Fact]
    public void AWholeRaceHasEveryContenderAndEveryLoad()
    {
        IReadOnlyList<Lane> lanes = Entrants.Lanes(null, [.. RaceLoad.All], All, named: false);
        Assert.Equal(All.Select(c => c.Name).Order(), lanes.Select(l => l.Contender.Name).Distinct().Order());
        Assert.Equal(RaceLoad.All.Select(l => l.Name).Order(), lanes.Select(l => l.Load.Name).Distinct().Order());
        Assert.Equal(lanes.Count, lanes.Distinct().Count());
    }

    /// <summary>A name that no load has would leave a contender out in silence.</summary>
    [Fact]
    public void WhatContendersSayAreLoads() =>
        Assert.All(All.SelectMany(c => c.Says ?? []), name => Assert.Contains(RaceLoad.All, l => l.Name == name));

    [Fact]
    public void WhoIsNamedRunsEverything()
    {
        Contender[] stunnel = [All.Single(c => c.Name == "stunnel")];
        RaceLoad[] loads = [.. RaceLoad.All.Where(l => l.Name is "bulk up" or "hold 1000")];
        Assert.Equal(2, Entrants.Lanes([Cable.Lossy], loads, stunnel, named: true).Count);
        Assert.Empty(Entrants.Lanes([Cable.Lossy], loads, stunnel, named: false));
    }

    [Fact]
    public void WhoIsWatchedShowsItself()
    {
        RaceLoad[] watched = [.. RaceLoad.All.Where(l => l.IsWatched)];
        Assert.Equal(2, watched.Length);
        IReadOnlyList<Lane> lanes = Entrants.Lanes([Cable.Veth], watched, All, named: true);
        Assert.Equal(2, lanes.Count);
        Assert.All(lanes, l => Assert.True(l.Contender.ShowsItself));
    }

    /// <summary>A load that says something of some only names contenders that there are.</summary>
    [Fact]
    public void WhomLoadsAreAboutAreContenders() =>
        Assert.All(RaceLoad.All.SelectMany(l => l.SaysOf ?? []), name => Assert.Contains(All, c => c.Name == name));

    [Fact]
    public void SessionsAreAskedOfWhoCanCountThem()
    {
        RaceLoad[] idle = [.. RaceLoad.All.Where(l => l.Sessions is not null)];
        Assert.NotEmpty(idle);
        Assert.All(Entrants.Lanes([Cable.Veth], idle, All, named: true), l => Assert.True(l.Contender.CountsSessions));
    }
}
