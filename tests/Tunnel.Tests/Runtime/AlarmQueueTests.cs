using System.Net;
using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Links.Memory;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Runtime;

public sealed class AlarmQueueTests : IDisposable
{
    private readonly MemoryLink _far;
    private readonly ReplaceableLink _link;
    private readonly DeadlineLoop _loop = new();
    private readonly PeerSession _session;

    public AlarmQueueTests()
    {
        (MemoryLink near, _far) = MemoryLink.CreatePair(new MemoryWireOptions(), 1);
        _link = new ReplaceableLink(near);
        IPEndPoint peer = new(IPAddress.Loopback, 9999);
        var factory = new SessionFactory("aes-128-gcm", new byte[32], new KcpOptions(), new MuxOptions(), mtu: 1350, guard: null, admission: null);
        _session = new PeerSession(
            factory.CreateSession(conv: 7, isClient: true, MonotonicClock.Now),
            DatagramCarrier.Open(_link, peer),
            Endpoint.FromIPEndPoint(peer),
            guard: null,
            _loop,
            new NoOwner());
    }

    public void Dispose()
    {
        _loop.Dispose();
        _link.Dispose();
        _far.Dispose();
    }

    [Fact]
    public void ItTellsTheEarliestFirstAndUntilWhenToWait()
    {
        var queue = new AlarmQueue();
        Alarm late = new(_session), soon = new(_session);
        Assert.True(queue.Add(late, At(30)));
        Assert.True(queue.Add(soon, At(20)));

        Assert.Null(queue.TakeDue(19, out long at));
        Assert.Equal(20, at);
        Assert.Same(_session, queue.TakeDue(25, out at));
        Assert.Equal(20, at);
        Assert.Null(queue.TakeDue(25, out at));
        Assert.Equal(30, at);
        Assert.Same(_session, queue.TakeDue(31, out at));
        Assert.Equal(30, at);
        Assert.Null(queue.TakeDue(31, out at));
        Assert.Equal(long.MaxValue, at);
    }

    [Fact]
    public void OnlyAWakeUpBeforeTheOneWaitedForIsNews()
    {
        var queue = new AlarmQueue();
        Assert.True(queue.Add(new Alarm(_session), At(30)));
        queue.TakeDue(0, out _);
        Assert.False(queue.Add(new Alarm(_session), At(40)));
        Assert.True(queue.Add(new Alarm(_session), At(29)));
        // It is taken now, and whoever took it looks again in any case.
        Assert.NotNull(queue.TakeDue(29, out _));
        Assert.False(queue.Add(new Alarm(_session), At(1)));
    }

    [Fact]
    public void AnEarlierWishReplacesALaterOne()
    {
        var queue = new AlarmQueue();
        var alarm = new Alarm(_session);
        queue.Add(alarm, At(30));
        queue.Add(alarm, At(10));
        Assert.False(queue.Add(alarm, At(20)));
        Assert.False(queue.Add(alarm, Instant.Never));
        Assert.Same(_session, queue.TakeDue(10, out _));
        Assert.Null(queue.TakeDue(100, out long at));
        Assert.Equal(long.MaxValue, at);
    }

    [Fact]
    public void AForgottenSessionIsNotWaitedFor()
    {
        var queue = new AlarmQueue();
        var alarm = new Alarm(_session);
        queue.Add(alarm, At(10));
        queue.Add(new Alarm(_session), At(20));
        alarm.Forget();
        Assert.Null(queue.TakeDue(15, out long at));
        Assert.Equal(20, at);
    }

    /// <summary>
    /// Nobody due always comes with a time that is still to come: with one that has passed the loop would wait for ever, or not be able to.
    /// A session ends on its own thread while the loop looks at its alarm, so both are done at once here, many times.
    /// </summary>
    [Fact]
    public async Task ASessionThatEndsWhileItIsTakenLeavesNoTimeThatHasPassed()
    {
        const int rounds = 100_000;
        const long now = 10;
        var queue = new AlarmQueue();
        Alarm? offered = null;
        Task forgetting = Task.Run(
            () =>
            {
                Alarm? last = null;
                for (int round = 0; round < rounds; round++)
                {
                    Alarm? alarm;
                    while ((alarm = Volatile.Read(ref offered)) == last)
                        Thread.SpinWait(1);
                    last = alarm;
                    // Not always at the same moment of the other's turn.
                    Thread.SpinWait(round % 16);
                    alarm!.Forget();
                }
            },
            TestContext.Current.CancellationToken);

        int taken = 0, passed = 0;
        for (int round = 0; round < rounds; round++)
        {
            var alarm = new Alarm(_session);
            queue.Add(alarm, At(now));
            Volatile.Write(ref offered, alarm);
            while (true)
            {
                bool isTaken = queue.TakeDue(now, out long at) is not null;
                taken += isTaken ? 1 : 0;
                passed += !isTaken && at <= now ? 1 : 0;
                if (alarm.Session is null)
                    break;
                queue.Add(alarm, At(now));
            }
        }

        await forgetting;
        Assert.NotEqual(0, taken);
        Assert.Equal(0, passed);
    }

    private static Instant At(long nanoseconds) => new(nanoseconds);

    private sealed class NoOwner : ISessionOwner
    {
        public void OnStreamOpened(TunnelStream stream) => stream.Close();

        public void OnSessionClosed(PeerSession session)
        {
        }
    }
}
