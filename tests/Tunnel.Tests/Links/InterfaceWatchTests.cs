using Tunnel.Links.Host;
using Tunnel.Links.Native;

namespace Tunnel.Tests.Links;

public sealed class InterfaceWatchTests : IDisposable
{
    private readonly WakeEvent _wake = new();
    private readonly WatchedInterface _loopback;

    public InterfaceWatchTests() => _loopback = new WatchedInterface("lo", _wake);

    public void Dispose()
    {
        _loopback.Dispose();
        _wake.Dispose();
    }

    /// <summary>While all is well the kernel's word is waited for; while it is not, its link is told again and again, for it may have been busy.</summary>
    [Fact]
    public void WhatIsAnnouncedIsNotLookedForBesides()
    {
        int index = _loopback.Index;
        var watch = new InterfaceWatch(isAnnounced: true, _ => index);
        watch.Add(_loopback);
        Assert.Equal(Timeout.InfiniteTimeSpan, watch.Look());
        Assert.False(_loopback.IsSuspect);

        index = 0;
        Assert.Equal(TimeSpan.FromSeconds(1), watch.Look());
        Assert.True(_loopback.IsSuspect);

        index = _loopback.Index;
        Assert.Equal(Timeout.InfiniteTimeSpan, watch.Look());
        watch.Remove(_loopback);
        index = 0;
        Assert.Equal(Timeout.InfiniteTimeSpan, watch.Look());
    }

    [Fact]
    public void WhereNothingIsAnnouncedThereIsALookASecond()
    {
        int index = _loopback.Index;
        var watch = new InterfaceWatch(isAnnounced: false, _ => index);
        Assert.Equal(Timeout.InfiniteTimeSpan, watch.Look());
        watch.Add(_loopback);
        Assert.Equal(TimeSpan.FromSeconds(1), watch.Look());
        Assert.False(_loopback.IsSuspect);
    }
}
