using System.Net;
using System.Net.Sockets;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Pool;
using Tunnel.Protocol.Sessions;
using static Tunnel.Tests.Runtime.Pool.PoolWorld;

namespace Tunnel.Tests.Runtime.Pool;

/// <summary>A pool among servers that come and go, fall silent and return; whole sessions, over links in memory.</summary>
public class ConnectionPoolTests
{
    private const int Limit = 120_000;

    [Fact(Timeout = Limit)]
    public async Task StreamsAreSharedByWeight()
    {
        await using var world = new PoolWorld(2, 1024, Server(1, weight: 3), Server(2));
        await world.UntilAsync(1, ConnectionState.Up, count: 2);
        await world.UntilAsync(2, ConnectionState.Up, count: 2);
        // Costs differ a little by what the clock measured.
        Assert.InRange((await world.CountOpensAsync(400))[1], 240, 360);
    }

    [Fact(Timeout = Limit)]
    public async Task AServerThatIsTakenOffTheListIsDrainedAndOthersNoticeNothing()
    {
        await using var world = new PoolWorld(1, 1024, Server(1), Server(2));
        await world.UntilAsync(1, ConnectionState.Up);
        await world.UntilAsync(2, ConnectionState.Up);
        ClientConnection kept = world.Pool.Connections.Single(c => c.ServerName == "s1");
        PeerSession? before = kept.Session;
        TunnelStream leaving = await OpenAtAsync(world, 2);

        world.Pool.Apply([Server(1, weight: 5), Server(3)]);
        await world.UntilAsync(3, ConnectionState.Up);
        Assert.Equal([1, 3], (await world.CountOpensAsync(40)).Keys.Order());
        Assert.Same(before, kept.Session);
        Assert.Equal(ConnectionState.Draining, world.Pool.GetStatus().Single(s => s.Server == "s2").State);
        await AssertEchoesAsync(leaving, "what it carries goes on");

        leaving.Close();
        await Eventually(() => leaving.Session.IsClosed && world.Pool.GetStatus().All(s => s.Server != "s2"));
    }

    [Fact(Timeout = Limit)]
    public async Task WeightAndPriorityChangeAtOnceAndWithoutANewSession()
    {
        await using var world = new PoolWorld(1, 1024, Server(1), Server(2));
        await world.UntilAsync(1, ConnectionState.Up);
        await world.UntilAsync(2, ConnectionState.Up);
        world.Pool.Apply([Server(1, weight: 99), Server(2)]);
        Assert.InRange((await world.CountOpensAsync(200))[1], 180, 200);
        world.Pool.Apply([Server(1, weight: 99, priority: 1), Server(2)]);
        Assert.Equal([2], (await world.CountOpensAsync(20)).Keys);
        Assert.All(world.Pool.GetStatus(), s => Assert.Equal(1, s.Connects));
    }

    [Fact(Timeout = Limit)]
    public async Task ConnectionsToComeAreNumberedWithWhatIsFree()
    {
        await using var world = new PoolWorld(2, 1024, Server(1), Server(2));
        Assert.Equal([0, 1, 2, 3], world.Pool.Connections.Select(c => c.Index));
        world.Pool.Apply([Server(2)]);
        await Eventually(() => world.Pool.Connections.Count == 2);
        world.Pool.Apply([Server(2), Server(3)]);
        Assert.Equal([0, 1, 2, 3], world.Pool.Connections.Select(c => c.Index));
        Assert.Equal(["s3", "s3", "s2", "s2"], world.Pool.Connections.Select(c => c.ServerName));
    }

    [Fact(Timeout = Limit)]
    public async Task AServerThatFallsSilentGetsNoStreamsUntilItIsHeardAgain()
    {
        await using var world = new PoolWorld(1, 1024, Server(1), Server(2));
        await world.UntilAsync(1, ConnectionState.Up);
        await world.UntilAsync(2, ConnectionState.Up);
        TunnelStream stays = await OpenAtAsync(world, 1);
        world.Cut(1);
        // Something must be under way for silence to mean anything.
        Task echo = AssertEchoesAsync(stays, "late, and whole");
        await world.UntilAsync(1, ConnectionState.Silent);
        Assert.Equal([2], (await world.CountOpensAsync(20)).Keys);
        world.Mend(1);
        await echo;
        await Eventually(() => world.Pool.GetStatus().Any(s => s is { Server: "s1", State: ConnectionState.Up }));
        Assert.Equal([1, 2], (await world.CountOpensAsync(20)).Keys.Order());
    }

    /// <summary>The preferred server is gone and nobody has noticed: whoever finds that out by opening a stream gets it elsewhere.</summary>
    [Fact(Timeout = Limit)]
    public async Task AnOpeningStreamIsMovedOffASilentServer()
    {
        await using var world = new PoolWorld(1, 1024, Server(1), Server(2, priority: 1));
        await world.UntilAsync(1, ConnectionState.Up);
        await world.UntilAsync(2, ConnectionState.Up);
        world.Cut(1);
        TunnelStream[] streams = await Task.WhenAll(
            Enumerable.Range(0, 20).Select(_ => world.Opener.OpenAsync(world.Echo, CancellationToken.None)));
        Assert.All(streams, s => Assert.Equal(2, world.HostOf(s)));
        await AssertEchoesAsync(streams[0], "hello");
    }

    /// <summary>The request was acknowledged, and then the server went: only asking shows it.</summary>
    [Fact(Timeout = Limit)]
    public async Task AStreamWhoseServerGoesWhileItDialsIsMoved()
    {
        await using var world = new PoolWorld(1, 1024, Server(1), Server(2, priority: 1));
        await world.UntilAsync(1, ConnectionState.Up);
        await world.UntilAsync(2, ConnectionState.Up);
        TunnelStream quiet = await world.Pool.OpenStreamAsync(CancellationToken.None);
        var pending = new Pending(quiet);
        world.Pool.Await(pending);
        await Eventually(() => quiet.Session.GetStatus().InFlight == 0);
        world.Cut(1);
        await Eventually(() => pending.IsMoved);
        world.Pool.Forget(pending);
        Assert.Equal(2, world.HostOf(await world.Pool.OpenStreamAsync(CancellationToken.None)));
    }

    [Fact(Timeout = Limit)]
    public async Task DatagramsGoElsewhereOnceTheirServerIsSilent()
    {
        await using var world = new PoolWorld(1, 1024, Server(1), Server(2, priority: 1));
        await world.UntilAsync(1, ConnectionState.Up);
        await world.UntilAsync(2, ConnectionState.Up);
        TunnelStream flow = (await world.Opener.OpenUdpAsync(world.Echo, CancellationToken.None)).Stream;
        TunnelStream bytes = await OpenAtAsync(world, 1);
        world.Cut(1);
        await flow.WriteAsync(new byte[] { 0, 1, 2 });
        await Eventually(() => flow.IsClosed);
        Assert.False(bytes.IsClosed);
        Assert.Equal(2, world.HostOf((await world.Opener.OpenUdpAsync(world.Echo, CancellationToken.None)).Stream));
    }

    [Fact(Timeout = Limit)]
    public async Task APreferredServerIsUsedAgainWhenItIsBack()
    {
        await using var world = new PoolWorld(1, 1024, Server(1), Server(2, priority: 1));
        await world.UntilAsync(1, ConnectionState.Up);
        world.Cut(1);
        Assert.Equal(2, world.HostOf(await world.Opener.OpenAsync(world.Echo, CancellationToken.None)));
        world.Mend(1);
        await world.UntilAsync(1, ConnectionState.Up);
        Assert.Equal([1], (await world.CountOpensAsync(10)).Keys);
    }

    /// <summary>Where there is no other, nothing is moved: what waits goes on when the server is heard again.</summary>
    [Fact(Timeout = Limit)]
    public async Task ALoneServerThatReturnsFindsItsStreamsWaiting()
    {
        await using var world = new PoolWorld(1, 1024, Server(1));
        await world.UntilAsync(1, ConnectionState.Up);
        world.Cut(1);
        Task<TunnelStream> opening = world.Opener.OpenAsync(world.Echo, CancellationToken.None);
        await world.UntilAsync(1, ConnectionState.Silent);
        Task<TunnelStream> waiting = world.Opener.OpenAsync(world.Echo, CancellationToken.None);
        world.Mend(1);
        await AssertEchoesAsync(await opening, "first");
        await AssertEchoesAsync(await waiting, "second");
        Assert.Equal(1, world.Pool.GetStatus().Single(s => s.State != ConnectionState.Draining).Connects);
    }

    /// <summary>A session that stays silent is replaced; what it carries goes on when it is heard again.</summary>
    [Fact(Timeout = Limit)]
    public async Task ASickSessionIsReplacedAndItsStreamsGoOn()
    {
        await using var world = new PoolWorld(2, 1024, Server(1));
        await world.UntilAsync(1, ConnectionState.Up, count: 2);
        TunnelStream stream = await OpenAtAsync(world, 1);
        PeerSession sick = stream.Session;
        world.CutWhatIsOpen(1);
        Task echo = AssertEchoesAsync(stream, "through the old session");
        await Eventually(() => world.Pool.Connections.Any(c => c.Drained == sick));
        world.Mend(1);
        await echo;
        await world.UntilAsync(1, ConnectionState.Up, count: 2);
        Assert.DoesNotContain(world.Pool.Connections, c => c.Session == sick);
        await AssertEchoesAsync(stream, "and again");
        stream.Close();
        await Eventually(() => sick.IsClosed && world.Pool.Connections.All(c => c.Drained is null));
    }

    /// <summary>A client with nothing to do does nothing; and what happens then is noticed all the same.</summary>
    [Fact(Timeout = Limit)]
    public async Task ConnectionsThatAreWellAreNotLookedAt()
    {
        await using var world = new PoolWorld(1, 1024, Server(1), Server(2));
        await world.UntilAsync(1, ConnectionState.Up);
        await world.UntilAsync(2, ConnectionState.Up);
        await Eventually(() => world.Pool.IsResting);
        TunnelStream stays = await OpenAtAsync(world, 1);
        await Eventually(() => world.Pool.IsResting);
        world.CutWhatIsOpen(1);
        Task echo = AssertEchoesAsync(stays, "wakes who looks after silence");
        await Eventually(() => !world.Pool.IsResting);
        await Eventually(() => world.Pool.Connections.Any(c => c is { ServerName: "s1", Connects: 2 }));
        world.Mend(1);
        await echo;
    }

    /// <summary>What it carries needs a way, too, when the network has changed; it may be what the session fell silent for.</summary>
    [Fact(Timeout = Limit)]
    public async Task ASessionThatWasReplacedFollowsTheNetwork()
    {
        await using var world = new PoolWorld(1, 1024, Server(1));
        await world.UntilAsync(1, ConnectionState.Up);
        TunnelStream stream = await OpenAtAsync(world, 1);
        world.CutWhatIsOpen(1);
        Task echo = AssertEchoesAsync(stream, "through the old session");
        await Eventually(() => world.Pool.Connections[0].Drained == stream.Session);
        Assert.Equal([0, 0], world.Sought);
        world.Pool.OnNetworkChanged();
        Assert.Equal([1, 1], world.Sought);
        world.Mend(1);
        await echo;
        stream.Close();
        await Eventually(() => world.Pool.Connections[0].Drained is null);
        world.Pool.OnNetworkChanged();
        Assert.Equal([1, 2], world.Sought);
    }

    /// <summary>The target has said all that it had to say; what is sent to it after that ends the stream, and may be lost on its way once.</summary>
    [Fact(Timeout = Limit)]
    public async Task WhatASessionsLastStreamSentArrivesBeforeItsGoodbye()
    {
        await using var world = new PoolWorld(1, 1024, Server(1));
        await world.UntilAsync(1, ConnectionState.Up);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        TunnelStream stream = await world.Opener.OpenAsync(new Target("127.0.0.1", (ushort)((IPEndPoint)listener.LocalEndpoint).Port), CancellationToken.None);
        using Socket target = await listener.AcceptSocketAsync();
        target.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, await stream.ReadAsync(new byte[1]));
        world.Cut(1);
        await stream.WriteAsync("the end"u8.ToArray());
        stream.CloseWrite();
        await Eventually(() => !stream.Session.HasUnfinishedStreams);
        world.Pool.Apply([]);
        await Task.Delay(50);
        world.Mend(1);
        byte[] received = new byte[100];
        int count = await target.ReceiveAsync(received);
        Assert.Equal("the end", System.Text.Encoding.ASCII.GetString(received, 0, count));
        Assert.Equal(0, await target.ReceiveAsync(received));
    }

    [Fact(Timeout = Limit)]
    public async Task ASessionThatIsBeingGreetedFollowsTheNetwork()
    {
        await using var world = new PoolWorld(1, 1024);
        world.Cut(1);
        world.Pool.Apply([Server(1)]);
        await Eventually(() => world.Opened.Length == 1);
        world.Pool.OnNetworkChanged();
        Assert.Equal([0], world.Sought);
        world.Mend(1);
        await world.UntilAsync(1, ConnectionState.Up);
        Assert.Equal([1], world.Sought);
    }

    [Fact(Timeout = Limit)]
    public async Task FullSessionsSaySoUntilThereIsRoom()
    {
        await using var world = new PoolWorld(2, 3, Server(1));
        await world.UntilAsync(1, ConnectionState.Up, count: 2);
        await Eventually(() => world.Pool.GetStatus().All(s => s.Streams == 0));
        TunnelStream[] all = [.. await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => world.Pool.OpenStreamAsync(CancellationToken.None).AsTask()))];
        await Assert.ThrowsAsync<TunnelUnavailableException>(() => world.Pool.OpenStreamAsync(CancellationToken.None).AsTask());
        all[0].Close();
        Assert.Same(all[0].Session, (await world.Pool.OpenStreamAsync(CancellationToken.None)).Session);
    }

    /// <summary>The cap that refuses an application's connection is what its operator looks for, also when it is known beforehand.</summary>
    [Fact(Timeout = Limit)]
    public async Task EachRefusalOfFullSessionsIsCountedOnce()
    {
        await using var world = new PoolWorld(1, 1, Server(1));
        await world.UntilAsync(1, ConnectionState.Up);
        await Eventually(() => world.Pool.GetStatus().All(s => s.Streams == 0));
        PeerSession session = (await world.Pool.OpenStreamAsync(CancellationToken.None)).Session;
        await Eventually(() => double.IsPositiveInfinity(session.Health!.Cost));
        long before = session.GetStatus().Mux.RefusedBySession;
        for (int i = 0; i < 3; i++)
            await Assert.ThrowsAsync<TunnelUnavailableException>(() => world.Pool.OpenStreamAsync(CancellationToken.None).AsTask());
        Assert.Equal(before + 3, session.GetStatus().Mux.RefusedBySession);
    }

    [Fact(Timeout = Limit)]
    public async Task ConnectionsGoToThePortsOfTheirNumberAndFallBackToTheFirst()
    {
        await using var world = new PoolWorld(3, 1024, Server(1, ports: 2));
        await world.UntilAsync(1, ConnectionState.Up, count: 3);
        Assert.Equal([9999, 9999, 10000], world.Opened.Select(e => e.Port).Order());
    }

    [Fact]
    public async Task APortThatDoesNotAnswerGivesWayToTheFirst()
    {
        var server = new PoolServer(Server(1, ports: 4), new Random(1));
        var parts = new ConnectionParts(null!, null!, null!, new ClientConnectionOptions(false, [], default), false, null!);
        for (int i = 0; i < 6; i++)
            server.Connections.Add(new ClientConnection(i, server, parts, null!));
        ClientConnection second = server.Connections[1];
        int[] ports = await Task.WhenAll(server.Connections.Select(PortAsync));
        Assert.Equal([9999, 10000, 10001, 10002, 9999, 10000], ports);
        server.OnFailed(second);
        Assert.Equal(9999, await PortAsync(second));
        server.OnFailed(second);
        Assert.Equal(10000, await PortAsync(second));
        server.OnFailed(second);
        server.OnAnswered(second);
        Assert.Equal(10000, await PortAsync(second));

        async Task<int> PortAsync(ClientConnection connection) => (await server.NextAddressAsync(connection, CancellationToken.None)).Port;
    }

    [Fact]
    public async Task ANameThatDoesNotResolveIsNamed()
    {
        // No resolver is asked for a label of 64 letters.
        string name = new string('x', 64) + ".invalid";
        var server = new PoolServer(new ServerSpec("s", new HostPort(name, 9999), 1, 0, 1), new Random(1));
        var e = await Assert.ThrowsAsync<IOException>(() => server.NextAddressAsync(null!, CancellationToken.None).AsTask());
        Assert.StartsWith($"{name} does not resolve: ", e.Message);
    }

    private static async Task<TunnelStream> OpenAtAsync(PoolWorld world, int host)
    {
        while (true)
        {
            TunnelStream stream = await world.Opener.OpenAsync(world.Echo, CancellationToken.None);
            if (world.HostOf(stream) == host)
                return stream;
            stream.Close();
        }
    }

    private sealed class Pending(TunnelStream stream) : IPendingOpen
    {
        private volatile bool _isMoved;

        public TunnelStream Stream => stream;

        public bool IsMoved => _isMoved;

        public void Move() => _isMoved = true;
    }
}
