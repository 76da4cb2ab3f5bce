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
        EventDispatcher.BeginTurn();
        Assert.False(EventDispatcher.EndTurn());
        Assert.False(EventDispatcher.TryDefer(null!));
    }

    /// <summary>What has come up within a turn need not wait for its end; what comes up later does.</summary>
    [Fact]
    public void WhatWaitsWithinATurnIsToldOnDemand()
    {
        using var bench = new ServerBench();
        PeerSession session = bench.Greet(1).Session;
        var owner = new Counter();
        var seen = new List<(int Told, bool IsDeferred)>();
        var thread = new Thread(() =>
        {
            EventDispatcher.TellNow();
            EventDispatcher.BeginTurn();
            for (int i = 0; i < 3; i++)
            {
                EventDispatcher.EnqueueOpened(null!, owner);
                seen.Add((owner.Opened, EventDispatcher.TryDefer(session)));
                EventDispatcher.TellNow();
            }

            EventDispatcher.EndTurn();
            seen.Add((owner.Opened, EventDispatcher.TryDefer(session)));
        });
        thread.Start();
        thread.Join();
        Assert.Equal([(0, true), (1, true), (2, true), (3, false)], seen);
    }

    /// <summary>A thread that has turns looks after other things in between; one that has none tells all.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AStormOfNewStreamsIsToldTurnByTurn(bool hasTurns)
    {
        var owner = new Counter();
        var told = new List<int>();
        // A thread of its own: what is untold is a thread's.
        var thread = new Thread(() =>
        {
            for (int i = 0; i < 1000; i++)
                EventDispatcher.EnqueueOpened(null!, owner);
            for (bool more = true; more; told.Add(owner.Opened))
                more = hasTurns ? TakeTurn() : RunWithoutTurns();
        });
        thread.Start();
        thread.Join();
        Assert.Equal(1000, owner.Opened);
        // Fewer where this thread was held up meanwhile.
        if (hasTurns)
            Assert.All(told.Zip(told.Skip(1), (before, after) => after - before).Prepend(told[0]), t => Assert.InRange(t, 1, 128));
        else
            Assert.Equal([1000], told);
    }

    /// <summary>The clock is looked at after each eight: ten milliseconds are over when the second eight are told that take two each.</summary>
    [Fact]
    public void ATurnEndsWhenTellingTakesLong()
    {
        var owner = new Counter { Next = () => Thread.Sleep(2) };
        var told = new List<int>();
        var thread = new Thread(() =>
        {
            for (int i = 0; i < 40; i++)
                EventDispatcher.EnqueueOpened(null!, owner);
            while (TakeTurn())
                told.Add(owner.Opened);
        });
        thread.Start();
        thread.Join();
        Assert.Equal([16, 32], told);
        Assert.Equal(40, owner.Opened);
    }

    /// <summary>However many come: what is untold has a bound.</summary>
    [Fact]
    public void TooManyAreNotLeftUntold()
    {
        var owner = new Counter();
        var thread = new Thread(() =>
        {
            for (int i = 0; i < 80_000; i++)
                EventDispatcher.EnqueueOpened(null!, owner);
            TakeTurn();
        });
        thread.Start();
        thread.Join();
        Assert.InRange(80_000 - owner.Opened, 65_536 - 128, 65_536);
    }

    /// <summary>
    /// A writer that has been told that its bytes left goes on in the same turn, which would else be one for each of its buffers.
    /// </summary>
    [Fact]
    public void ATurnGoesOnWithWhatItsEndBrings()
    {
        using var bench = new ServerBench();
        TunnelStream stream = bench.Greet(1).Session.OpenStream()!;
        int written = 0;
        bool more = true;
        var thread = new Thread(() =>
        {
            EventDispatcher.BeginTurn();
            stream.Observe(new Writer(stream, () => ++written < 3));
            Assert.True(stream.TryBeginWrite(new byte[] { 1 }));
            more = EventDispatcher.EndTurn();
        });
        thread.Start();
        thread.Join();
        Assert.Equal((false, 3), (more, written));
    }

    /// <summary>Whoever is told brings the next, without end: the turn ends all the same.</summary>
    [Fact]
    public void ATurnEndsWhateverItBrings()
    {
        var owner = new Counter();
        owner.Next = () => EventDispatcher.EnqueueOpened(null!, owner);
        bool more = false;
        var thread = new Thread(() =>
        {
            EventDispatcher.EnqueueOpened(null!, owner);
            more = TakeTurn();
        });
        thread.Start();
        thread.Join();
        Assert.True(more);
        Assert.InRange(owner.Opened, 16, 128);
    }

    /// <summary>The thread is a reactor's: whoever throws when told loses its stream, the others are told, and the next turn is as any.</summary>
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
            EventDispatcher.BeginTurn();
            EventDispatcher.EnqueueOpened(bad, new Defective());
            EventDispatcher.EnqueueOpened(good, owner);
            EventDispatcher.EndTurn();
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
        EventDispatcher.BeginTurn();
        for (int i = 0; i < 20; i++)
            Assert.NotNull(session.OpenStream());
        long during = Sent(session) - before;
        session.LeaveReceived();
        EventDispatcher.EndTurn();
        return (during, Sent(session) - before);
    }

    private static bool TakeTurn()
    {
        EventDispatcher.BeginTurn();
        return EventDispatcher.EndTurn();
    }

    private static bool RunWithoutTurns()
    {
        EventDispatcher.Run();
        return false;
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

    /// <summary>Writes another byte whenever one has left, while it is to.</summary>
    private sealed class Writer(TunnelStream stream, Func<bool> goesOn) : IStreamObserver
    {
        public void OnReadable()
        {
            // Nobody answers.
        }

        public void OnWritten()
        {
            if (goesOn())
                Assert.True(stream.TryBeginWrite(new byte[] { 1 }));
        }
    }

    private sealed class Counter : ISessionOwner
    {
        public int Opened { get; private set; }

        public Action? Next { get; set; }

        public void OnStreamOpened(TunnelStream stream)
        {
            Opened++;
            Next?.Invoke();
        }

        public void OnSessionClosed(PeerSession session)
        {
            // None is.
        }
    }
}
