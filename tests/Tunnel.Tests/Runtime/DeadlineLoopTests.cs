using System.Net;
using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Links.Memory;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Runtime;

public sealed class DeadlineLoopTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Who awaited something of a session may be woken within the session's turn, on the loop's own thread, and end everything there, as ping
    /// does once it has said goodbye. Waiting for that thread would be for ever.
    /// </summary>
    [Fact]
    public async Task ItEndsFromWithinATurnOfItsOwn()
    {
        (MemoryLink near, MemoryLink far) = MemoryLink.CreatePair(new MemoryWireOptions(), 1);
        using (far)
        using (var link = new ReplaceableLink(near))
        {
            var loop = new DeadlineLoop();
            var owner = new Owner(loop);
            PeerSession session = Silent(link, loop, owner);
            session.Nudge();
            Assert.Equal("deadlines", await owner.Ended.Task.WaitAsync(Patience, TestContext.Current.CancellationToken));
        }
    }

    /// <summary>A session's turn may be ending on another thread meanwhile.</summary>
    [Fact]
    public void WhoAsksOfOneThatHasEndedIsNotHeardAndNotHurt()
    {
        (MemoryLink near, MemoryLink far) = MemoryLink.CreatePair(new MemoryWireOptions(), 1);
        using (far)
        using (var link = new ReplaceableLink(near))
        {
            var loop = new DeadlineLoop();
            PeerSession session = Silent(link, loop, new Owner(loop));
            loop.Dispose();
            loop.Schedule(session, MonotonicClock.Now);
        }
    }

    /// <summary>Nobody answers, which ends a session at its first deadline or soon after.</summary>
    private static PeerSession Silent(ReplaceableLink link, DeadlineLoop loop, Owner owner)
    {
        IPEndPoint peer = new(IPAddress.Loopback, 9999);
        return new PeerSession(
            Factory().CreateSession(conv: 7, isClient: true, MonotonicClock.Now),
            DatagramCarrier.Open(link, peer),
            Endpoint.FromIPEndPoint(peer),
            guard: null,
            loop,
            owner);
    }

    private static SessionFactory Factory() => new(
        "aes-128-gcm",
        new byte[32],
        new KcpOptions(),
        new MuxOptions { KeepAlive = 5, KeepAliveTimeout = 20 },
        mtu: 1350,
        guard: null,
        admission: null);

    private sealed class Owner(DeadlineLoop loop) : ISessionOwner
    {
        public TaskCompletionSource<string?> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void OnStreamOpened(TunnelStream stream) => stream.Close();

        public void OnSessionClosed(PeerSession session)
        {
            loop.Dispose();
            Ended.TrySetResult(Thread.CurrentThread.Name);
        }
    }
}
