using System.Net;
using System.Net.Sockets;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.App.Runtime.Pool;
using Tunnel.App.Services;
using Tunnel.Links.Sockets;
using Tunnel.Protocol.Sessions;
using Tunnel.Tests.Runtime.Pool;
using Tunnel.Tests.Support;
using static Tunnel.Tests.Runtime.Pool.PoolWorld;

namespace Tunnel.Tests.Services;

/// <summary>What may come before a stream is open, over whole stacks in this process.</summary>
public sealed class StreamOpeningTests : IDisposable
{
    private readonly LoopbackReactor _reactor = new();
    private readonly Owner _owner = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _reactor.Dispose();

    [Fact]
    public async Task ItWaitsForASession()
    {
        await using var world = new PoolWorld(1, 1024);
        Open(world, world.Echo);
        Assert.False(_owner.IsTold);
        world.Pool.Apply([Server(1)]);
        await AssertEchoesAsync(await _owner.Opened, "hello");
    }

    /// <summary>Whoever leaves is noticed, whatever is waited for; nothing of it stays, and the socket is again whose it was.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ItEndsWithItsApplication(bool hasSession)
    {
        await using var world = new PoolWorld(1, 1024, hasSession ? [Server(1)] : []);
        using var target = new Swallower(new IPEndPoint(IPAddress.Loopback, 0));
        if (hasSession)
            await world.UntilAsync(1, ConnectionState.Up);
        (TcpSocket socket, Socket peer) = await _reactor.ConnectAsync(Cancel);
        using SocketExchange exchange = new(socket);
        Open(world, new Target("127.0.0.1", target.Port), socket: socket);
        if (hasSession)
            await Eventually(() => world.Pool.GetStatus().Single().Streams == 1);
        Assert.False(_owner.IsTold);
        peer.Close(0);
        await Assert.ThrowsAsync<OperationCanceledException>(() => _owner.Opened);
        Assert.Same(exchange, socket.Observer);
        Assert.All(world.Pool.GetStatus(), s => Assert.Equal(0, s.Streams));
    }

    /// <summary>An application that goes on waiting after its end may only have nothing to say.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task AnEndIsLeavingWhereItIsSaidToBe(bool endIsLeaving)
    {
        await using var world = new PoolWorld(1, 1024);
        (TcpSocket socket, Socket peer) = await _reactor.ConnectAsync(Cancel);
        using (socket)
        using (peer)
        {
            Open(world, world.Echo, socket: socket, endIsLeaving: endIsLeaving);
            peer.Shutdown(SocketShutdown.Send);
            await Eventually(() => socket.HasEnded);
            if (!endIsLeaving)
                world.Pool.Apply([Server(1)]);
            await Eventually(() => _owner.IsTold);
            Assert.Equal(!endIsLeaving, _owner.Opened.IsCompletedSuccessfully);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ItEndsWhenEverythingStops(bool hasSession)
    {
        await using var world = new PoolWorld(1, 1024, hasSession ? [Server(1)] : []);
        using var target = new Swallower(new IPEndPoint(IPAddress.Loopback, 0));
        if (hasSession)
            await world.UntilAsync(1, ConnectionState.Up);
        using var stop = new CancellationTokenSource();
        Open(world, new Target("127.0.0.1", target.Port), stop: stop.Token);
        Assert.False(_owner.IsTold);
        await stop.CancelAsync();
        await Assert.ThrowsAsync<OperationCanceledException>(() => _owner.Opened);
        Assert.All(world.Pool.GetStatus(), s => Assert.Equal(0, s.Streams));
    }

    [Fact]
    public async Task WhatStoppedBeforeItBeganEndsAtOnce()
    {
        await using var world = new PoolWorld(1, 1024);
        Open(world, world.Echo, stop: new CancellationToken(canceled: true));
        await Assert.ThrowsAsync<OperationCanceledException>(() => _owner.Opened);
    }

    [Fact]
    public async Task ARefusalIsTold()
    {
        await using var world = new PoolWorld(1, 1024, Server(1));
        await world.UntilAsync(1, ConnectionState.Up);
        Open(world, new Target("127.0.0.1", UnusedPort()));
        DialException refused = await Assert.ThrowsAsync<DialException>(() => _owner.Opened);
        Assert.Equal(DialResult.Refused, refused.Result);
        await Eventually(() => world.Pool.GetStatus().Single().Streams == 0);
    }

    [Fact]
    public async Task AFullSessionIsSaidToBeFull()
    {
        await using var world = new PoolWorld(1, 1, Server(1));
        await world.UntilAsync(1, ConnectionState.Up);
        TunnelStream only = await world.Pool.OpenStreamAsync(Cancel);
        Open(world, world.Echo);
        await Assert.ThrowsAsync<TunnelUnavailableException>(() => _owner.Opened);
        only.Close();
    }

    /// <summary>What a peer can do may become known while its answer is waited for; it answers what it was asked.</summary>
    [Fact]
    public async Task WhatIsWaitedForIsWhatWasAskedFor()
    {
        await using var world = new PoolWorld(1, 1024, Server(1));
        await world.UntilAsync(1, ConnectionState.Up);
        TunnelStream other = await world.Opener.OpenAsync(world.Echo, Cancel);
        Capabilities known = other.Session.PeerCapabilities;
        Assert.True(known.HasFlag(Capabilities.DialResult));
        other.Session.Announced(known & ~Capabilities.DialResult);
        // What is written after a window's worth that nobody acknowledges waits.
        world.Cut(1);
        ValueTask blocked = other.WriteAsync(new byte[64 << 20]);
        await UntilFullAsync(other.Session);
        Open(world, world.Echo);
        Assert.False(_owner.IsTold);
        other.Session.Announced(known);
        other.Close();
        world.Mend(1);
        await AssertEchoesAsync(await _owner.Opened, "hello");
        await Assert.ThrowsAnyAsync<IOException>(() => blocked.AsTask());
    }

    /// <summary>Whoever moves what waits for a silent session may come to one that has just been answered, and is the application's by now.</summary>
    [Fact]
    public async Task WhatIsOpenIsNotMoved()
    {
        await using var world = new PoolWorld(1, 1024, Server(1));
        await world.UntilAsync(1, ConnectionState.Up);
        StreamOpening opening = Open(world, world.Echo);
        TunnelStream stream = await _owner.Opened;
        ((IPendingOpen)opening).Move();
        await AssertEchoesAsync(stream, "hello");
    }

    [Fact]
    public async Task HeadersForOneTargetAreWrittenOnce()
    {
        await using var world = new PoolWorld(1, 1024);
        TargetHeaders first = world.Opener.HeadersFor(new Target("one.example", 1));
        Assert.Same(first, world.Opener.HeadersFor(new Target("one.example", 1)));
        TargetHeaders other = world.Opener.HeadersFor(new Target("one.example", 2));
        Assert.Equal((first.Target.Port, other.Target.Port), (1, 2));
        Assert.NotEqual(first.Dial.ToArray(), other.Dial.ToArray());
    }

    private StreamOpening Open(
        PoolWorld world, Target target, TcpSocket? socket = null, bool endIsLeaving = false, CancellationToken stop = default)
    {
        var opening = new StreamOpening(world.Opener, world.Opener.HeadersFor(target), _owner) { Socket = socket, EndIsLeaving = endIsLeaving, Stop = stop };
        opening.Start();
        return opening;
    }

    /// <summary>Until no more of what waits is sent.</summary>
    private static async Task UntilFullAsync(PeerSession session)
    {
        long before = -1;
        for (int same = 0; same < 20;)
        {
            await Task.Delay(10, Cancel);
            long now = session.GetStatus().InFlight;
            same = now != 0 && now == before ? same + 1 : 0;
            before = now;
        }
    }

    private static ushort UnusedPort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return (ushort)((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <summary>Fails when it is told twice.</summary>
    private sealed class Owner : IOpeningOwner
    {
        private readonly TaskCompletionSource<TunnelStream> _told = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<TunnelStream> Opened => _told.Task;

        public bool IsTold => _told.Task.IsCompleted;

        public void OnOpened(StreamOpening opening, TunnelStream stream) => _told.SetResult(stream);

        public void OnFailed(StreamOpening opening, Exception why) => _told.SetException(why);
    }
}
