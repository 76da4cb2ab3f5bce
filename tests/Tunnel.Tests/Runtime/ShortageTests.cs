using Tunnel.App.Runtime;
using Tunnel.Protocol.Mux;
using Tunnel.Tests.Diagnostics;

namespace Tunnel.Tests.Runtime;

/// <summary>At the ceiling of memory nobody is refused for what others hold and do not use; who uses it keeps it.</summary>
public sealed class ShortageTests : IDisposable
{
    private const uint First = 3;
    private const uint Second = 5;
    private const uint Third = 7;

    private readonly ServerBench _bench = new();
    private readonly byte[] _data = [.. Enumerable.Range(0, 200_000).Select(i => (byte)(i % 251))];

    [Fact]
    public void StreamsAndSessionsAreTakenAsSoonAsTheOverloadIsOver()
    {
        BenchPeer peer = Overload();
        peer.Say(MuxCommand.Open, Second);
        _bench.Greet(2);
        Assert.Equal((2, 1, 1), (Refusals, peer.Session.StreamCount, _bench.Sessions.Count));

        peer.Say(MuxCommand.Reset, First);
        peer.Say(MuxCommand.Open, Third);
        _bench.Greet(3);
        Assert.Equal((2, 1, 2), (Refusals, peer.Session.StreamCount, _bench.Sessions.Count));
        Assert.InRange(_bench.Budget.Used, 1, _bench.Budget.Limit - _data.Length / 2);
    }

    /// <summary>Before the shortage there was no reason to give anything back, and whoever is quiet since then has to be asked.</summary>
    [Fact]
    public void WhatAQuietSessionKeepsIsAskedFor()
    {
        BenchPeer quiet = Load(1);
        quiet.Say(MuxCommand.Reset, First);
        BenchPeer peer = Overload(2);
        peer.Say(MuxCommand.Open, Second);
        _bench.Greet(3);
        Assert.Equal((0, 2, 3), (Refusals, peer.Session.StreamCount, _bench.Sessions.Count));
    }

    /// <summary>Who asks is in a turn of the very session that has something to give.</summary>
    [Fact]
    public void WhatASessionKeepsIsThereForItself()
    {
        BenchPeer peer = Load(1);
        peer.Say(MuxCommand.Reset, First);
        _bench.Budget.Limit = _bench.Budget.Used;
        peer.Say(MuxCommand.Open, Second);
        Assert.Equal((0, 1), (Refusals, peer.Session.StreamCount));
    }

    [Fact]
    public async Task NobodyWaitsForASessionInAnotherThreadsTurnWhichGivesBackAtItsEnd()
    {
        BenchPeer busy = Load(1);
        busy.Say(MuxCommand.Reset, First);
        BenchPeer peer = Overload(2);
        using var refused = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        Task turn = Task.Factory.StartNew(() => TakeTurn(busy.Session, entered, refused), TaskCreationOptions.LongRunning);
        entered.Wait(TestContext.Current.CancellationToken);
        peer.Say(MuxCommand.Open, Second);
        Assert.Equal(1, peer.Session.StreamCount);
        refused.Set();
        await turn;
        Assert.Equal(1, Refusals);

        peer.Say(MuxCommand.Open, Third);
        Assert.Equal((1, 2), (Refusals, peer.Session.StreamCount));
    }

    [Fact]
    public void WhatIsInUseStaysAndArrivesWhole()
    {
        TunnelStream? opened = null;
        _bench.Sessions.StreamOpened += stream => opened ??= stream;
        BenchPeer peer = Overload();
        peer.Say(MuxCommand.Open, Second);
        _bench.Greet(2);
        Assert.Equal(2, Refusals);
        byte[] read = new byte[_data.Length + 1];
        Assert.Equal(_data.Length, opened!.TryRead(read));
        Assert.Equal(_data, read[..^1]);
    }

    public void Dispose() => _bench.Dispose();

    private double Refusals => _bench.Metrics().Sum("tunnel_refusals_total", "cap=\"memory\"");

    /// <summary>A peer whose data nobody reads.</summary>
    private BenchPeer Load(int host)
    {
        BenchPeer peer = _bench.Greet(host);
        for (int at = 0; at < _data.Length; at += 50_000)
            peer.Say(MuxCommand.Data, First, _data.AsSpan(at, 50_000));
        return peer;
    }

    /// <summary>The same, and with what it holds the ceiling is reached.</summary>
    private BenchPeer Overload(int host = 1)
    {
        BenchPeer peer = Load(host);
        _bench.Budget.Limit = _bench.Budget.Used;
        return peer;
    }

    private static void TakeTurn(PeerSession session, ManualResetEventSlim entered, ManualResetEventSlim goOn)
    {
        session.Enter();
        entered.Set();
        goOn.Wait();
        session.Leave(MonotonicClock.Now);
    }
}
