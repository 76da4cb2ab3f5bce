using Tunnel.App.Runtime;
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
}
