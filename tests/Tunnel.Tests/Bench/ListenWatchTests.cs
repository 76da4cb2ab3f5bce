using System.Net;
using Tunnel.Ctl.Bench;
using Tunnel.Links.Host;
using Tunnel.Tests.Check;

namespace Tunnel.Tests.Bench;

public sealed class ListenWatchTests : IDisposable
{
    private readonly FixtureHost _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public async Task TheFullestMomentIsKeptAndCountersAreDifferences()
    {
        _host.ListenQueues = ([Queue(9000, 2), Queue(9000, 5), Queue(22, 0), Queue(25, 1)], null);
        var watch = new ListenWatch(_host.Files, _host);
        await watch.WatchAsync(() =>
        {
            _host.ListenQueues = ([Queue(9000, 0)], null);
            _host.Write("/proc/net/netstat", FixtureFiles.Netstat.Replace("TcpExt: 0 0 0", "TcpExt: 0 4 5"));
            return Task.FromResult(0);
        });
        Assert.Equal(
            [new ListenerUse("127.0.0.1:9000", 2, 128, 5), new ListenerUse("127.0.0.1:25", 1, 128, 1)], watch.Listeners([9000]));
        Assert.Equal((4, 5), (watch.Grown("TcpExt.ListenOverflows"), watch.Grown("TcpExt.ListenDrops")));
        Assert.Null(watch.Grown("TcpExt.NoSuchCounter"));
    }

    [Fact]
    public async Task WhatTheKernelDoesNotTellIsSaid()
    {
        _host.ListenQueues = ([], "not permitted");
        var watch = new ListenWatch(_host.Files, _host);
        Assert.Equal(7, await watch.WatchAsync(() => Task.FromResult(7)));
        Assert.Equal("not permitted", watch.Problem);
        Assert.Empty(watch.Listeners([9000]));
    }

    private static ListenQueue Queue(int port, uint waiting) => new(new IPEndPoint(IPAddress.Loopback, port), waiting, 128);
}
