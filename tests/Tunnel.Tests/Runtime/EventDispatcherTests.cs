using Tunnel.App.Runtime;
using Tunnel.Tests.Diagnostics;
using Tunnel.Tests.Services;

namespace Tunnel.Tests.Runtime;

public class EventDispatcherTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Twenty streams are opened within a turn: nothing leaves before its end, and then in a datagram.</summary>
    [Fact]
    public async Task WhatIsSaidInATurnLeavesTogetherAtItsEnd()
    {
        await using TunnelPair pair = await TunnelPair.StartAsync("[[socks5]]\nlisten='127.0.0.1:0'\n");
        while (pair.Client.Connections[0].Session is null)
            await Task.Delay(10, Cancel);
        PeerSession session = pair.Client.Connections[0].Session!;
        (long during, long after) = SayInATurn(session);
        Assert.Equal(0, during);
        // A sign of life may have been due just then.
        Assert.InRange(after, 1, 2);
    }

    [Fact]
    public void OutsideOfATurnNothingIsDeferred()
    {
        Assert.False(EventDispatcher.TryDefer(null!));
        EventDispatcher.Begin();
        EventDispatcher.End();
        Assert.False(EventDispatcher.TryDefer(null!));
    }

    /// <summary>A thread that comes again looks after other things in between; one that does not tells all.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AStormOfNewStreamsIsToldBitByBitByAThreadThatComesAgain(bool comesAgain)
    {
        var owner = new Counter();
        var told = new List<int>();
        // A thread of its own: what is untold is a thread's.
        var thread = new Thread(() =>
        {
            EventDispatcher.ComesAgain(comesAgain);
            for (int i = 0; i < 1000; i++)
                EventDispatcher.EnqueueOpened(null!, owner);
            while (EventDispatcher.HasMore)
            {
                EventDispatcher.Run();
                told.Add(owner.Opened);
            }
        });
        thread.Start();
        thread.Join();
        Assert.Equal(1000, owner.Opened);
        Assert.Equal(comesAgain ? [128, 256, 384, 512, 640, 768, 896, 1000] : [1000], told);
    }

    /// <summary>However many come: what is untold has a bound.</summary>
    [Fact]
    public void TooManyAreNotLeftUntold()
    {
        var owner = new Counter();
        var thread = new Thread(() =>
        {
            EventDispatcher.ComesAgain(soon: true);
            for (int i = 0; i < 20_000; i++)
                EventDispatcher.EnqueueOpened(null!, owner);
            EventDispatcher.Run();
        });
        thread.Start();
        thread.Join();
        Assert.InRange(20_000 - owner.Opened, 16_384 - 128, 16_384);
    }

    /// <summary>The thread is a link's or a reactor's: whoever throws when told loses its stream, the others are told, and the next turn is as any.</summary>
    [Fact]
    public void WhoeverThrowsLosesItsStreamAndNoOther()
    {
        using var bench = new ServerBench();
        PeerSession session = bench.Greet(1).Session;
        TunnelStream bad = session.OpenStream()!, good = session.OpenStream()!;
        var owner = new Counter();
        long before = DefectLog.OfProcess.Count;
        // A thread of its own: one that ended would take the process with it.
        var thread = new Thread(() =>
        {
            EventDispatcher.Begin();
            EventDispatcher.EnqueueOpened(bad, new Defective());
            EventDispatcher.EnqueueOpened(good, owner);
            EventDispatcher.End();
            Assert.False(EventDispatcher.TryDefer(session));
        });
        thread.Start();
        thread.Join();
        Assert.Equal((1, true, false), (owner.Opened, bad.IsClosed, good.IsClosed));
        Assert.True(DefectLog.OfProcess.Count > before);
    }

    /// <summary>Segments sent during the turn, and with its end.</summary>
    private static (long During, long After) SayInATurn(PeerSession session)
    {
        // Entered, so that no other thread's turn takes it along.
        session.Enter();
        long before = Sent(session);
        EventDispatcher.Begin();
        for (int i = 0; i < 20; i++)
            Assert.NotNull(session.OpenStream());
        long during = Sent(session) - before;
        session.LeaveReceived();
        return (during, Sent(session) - before);
    }

    private static long Sent(PeerSession session) => session.GetStatus().Kcp.SegmentsSent;

    private sealed class Defective : ISessionOwner
    {
        public void OnStreamOpened(TunnelStream stream) => throw new InvalidOperationException("a defect");

        public void OnSessionClosed(PeerSession session)
        {
            // None is.
        }
    }

    private sealed class Counter : ISessionOwner
    {
        public int Opened { get; private set; }

        public void OnStreamOpened(TunnelStream stream) => Opened++;

        public void OnSessionClosed(PeerSession session)
        {
            // None is.
        }
    }
}
