using System.Net.Sockets;
using System.Text;
using Tunnel.App.Runtime;
using Tunnel.App.Services;
using Tunnel.Links.Sockets;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;
using Tunnel.Tests.Diagnostics;
using Tunnel.Tests.Mux;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Services;

/// <summary>What a relay does before what: a peer made by hand at one side, a socket at the other. Nothing that is never told is waited for.</summary>
public sealed class RelayOrderTests : IDisposable
{
    /// <summary>Bytes: no kernel takes as much from one socket that nobody reads.</summary>
    private const int MoreThanFits = 12 << 20;

    private readonly ServerBench _bench = new();
    private readonly LoopbackReactor _reactor = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _reactor.Dispose();
        _bench.Dispose();
    }

    /// <summary>
    /// The first bytes are read, written and on their way while the relay begins. Whoever observed the socket before the stream would not be
    /// told that they are, and wait for that for ever.
    /// </summary>
    [Fact(Timeout = 60_000)]
    public async Task WhatWasSaidBeforeHoldsUpNothing()
    {
        TunnelStream stream = _bench.Greet(1).Session.OpenStream()!;
        (TcpSocket socket, Socket peer) = await ConnectAsync();
        using Socket theirs = peer;
        await peer.SendAsync("one"u8.ToArray(), Cancel);
        while (!socket.HasNews)
            await Task.Delay(1, Cancel);

        Task relay = new Relay(socket, stream, isClient: true).RunAsync(Cancel);
        Assert.Equal(3, stream.BytesSent);
        await peer.SendAsync("two"u8.ToArray(), Cancel);
        while (stream.BytesSent != 6)
            await Task.Delay(1, Cancel);
        stream.Session.Close(CloseReason.Local);
        await relay;
    }

    /// <summary>What came by the stream while its target was dialled is told no more.</summary>
    [Fact(Timeout = 60_000)]
    public async Task WhatTheStreamBroughtBeforeIsPassedOn()
    {
        BenchPeer bench = _bench.Greet(1);
        TunnelStream stream = bench.Session.OpenStream()!;
        bench.Say(MuxCommand.Data, stream.Id, "one"u8);
        (TcpSocket socket, Socket peer) = await ConnectAsync();
        using Socket theirs = peer;
        Task relay = new Relay(socket, stream, isClient: false).RunAsync(Cancel);
        Assert.Equal(0, stream.Session.GetStatus().Buffered);
        await ExpectAsync(peer, "one");
        stream.Session.Close(CloseReason.Local);
        await relay;
    }

    /// <summary>What is left over goes before what comes behind it, and the end behind both, however often the socket is full.</summary>
    [Fact(Timeout = 60_000)]
    public async Task WhatTheSocketHasNoRoomForIsNotOvertaken()
    {
        byte[] sent = new byte[MoreThanFits], received = new byte[MoreThanFits + 1];
        new Prng(1).Fill(sent);
        using ServerBench bench = WideBench();
        BenchPeer sender = bench.Greet(1);
        TunnelStream stream = sender.Session.OpenStream()!;
        (TcpSocket socket, Socket peer) = await ConnectAsync();
        using Socket theirs = peer;
        Task relay = RelayMoreThanFits(sender, stream, socket, sent);
        sender.Say(MuxCommand.Finish, stream.Id);
        for (int have = 0, count = 1; count != 0; have += count)
            count = await peer.ReceiveAsync(received.AsMemory(have), Cancel);
        Assert.True(sent.AsSpan().SequenceEqual(received.AsSpan(0, MoreThanFits)));
        peer.Dispose();
        await relay;
    }

    /// <summary>Nor that it ended: whoever is at the socket, and says nothing, would be kept for ever.</summary>
    [Fact(Timeout = 60_000)]
    public async Task AStreamThatWasClosedBeforeIsABreak()
    {
        TunnelStream stream = _bench.Greet(1).Session.OpenStream()!;
        stream.Close();
        (TcpSocket socket, Socket peer) = await ConnectAsync();
        using Socket theirs = peer;
        await new Relay(socket, stream, isClient: false).RunAsync(Cancel);
        await Assert.ThrowsAsync<SocketException>(async () => await peer.ReceiveAsync(new byte[1], Cancel));
    }

    [Fact(Timeout = 60_000)]
    public async Task ASessionThatDiedBehindItsPeersEndIsNotWaitedFor()
    {
        BenchPeer bench = _bench.Greet(1);
        TunnelStream stream = bench.Session.OpenStream()!;
        bench.Say(MuxCommand.Finish, stream.Id);
        stream.Session.Close(CloseReason.Local);
        (TcpSocket socket, Socket peer) = await ConnectAsync();
        using Socket theirs = peer;
        await new Relay(socket, stream, isClient: false).RunAsync(Cancel);
    }

    /// <summary>
    /// To a peer of ours, and to any from a target, the end of what is said is passed on behind the last of it, and the reply still comes. A stock
    /// server would take it for the end of both directions: an application's waits until the reply has been quiet.
    /// </summary>
    [Theory(Timeout = 60_000)]
    [InlineData(true, false, false)]
    [InlineData(true, true, true)]
    [InlineData(false, false, true)]
    [InlineData(false, true, true)]
    public async Task TheEndOfWhatIsSaidIsPassedOnUnlessThatEndsTheReply(bool isClient, bool peerHalfCloses, bool passedOn)
    {
        BenchPeer bench = _bench.Greet(1);
        if (peerHalfCloses)
            bench.Session.Announced(Capabilities.HalfClose | Capabilities.Reset);
        TunnelStream stream = bench.Session.OpenStream()!;
        (TcpSocket socket, Socket peer) = await ConnectAsync();
        using Socket theirs = peer;
        Task relay = new Relay(socket, stream, isClient) { ReplyQuiet = TimeSpan.FromHours(1) }.RunAsync(Cancel);
        await peer.SendAsync("question"u8.ToArray(), Cancel);
        peer.Shutdown(SocketShutdown.Send);
        await ToldAsync(() => socket.HasEnded);
        Assert.Equal(8, stream.BytesSent);
        Assert.Equal(passedOn, HasFinished(stream));

        bench.Say(MuxCommand.Data, stream.Id, "reply"u8);
        await ExpectAsync(peer, "reply");
        bench.Say(MuxCommand.Finish, stream.Id);
        await relay;
        Assert.Equal(0, await peer.ReceiveAsync(new byte[1], Cancel));
    }

    /// <summary>The reply has been quiet for as long as it must be.</summary>
    [Fact(Timeout = 60_000)]
    public async Task TheEndIsPassedOnOnceTheReplyIsQuiet()
    {
        BenchPeer bench = _bench.Greet(1);
        TunnelStream stream = bench.Session.OpenStream()!;
        (TcpSocket socket, Socket peer) = await ConnectAsync();
        using Socket theirs = peer;
        Task relay = new Relay(socket, stream, isClient: true) { ReplyQuiet = TimeSpan.FromMilliseconds(1) }.RunAsync(Cancel);
        peer.Shutdown(SocketShutdown.Send);
        while (!HasFinished(stream))
            await Task.Delay(1, Cancel);
        Assert.False(relay.IsCompleted);
        stream.Session.Close(CloseReason.Local);
        await relay;
    }

    /// <summary>
    /// The socket breaks, behind an end or not, while a write waits for the peer's window. It is not read meanwhile, and the peer would keep what
    /// it has for as long as it is slow.
    /// </summary>
    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ABreakBehindAWriteThatWaitsIsABreak(bool behindAnEnd)
    {
        byte[] much = new byte[200_000];
        BenchPeer bench = _bench.Greet(1);
        bench.Session.Announced(Capabilities.HalfClose | Capabilities.Reset);
        TunnelStream stream = bench.Session.OpenStream()!;
        (TcpSocket socket, Socket peer) = await ConnectAsync();
        Task relay = new Relay(socket, stream, isClient: true).RunAsync(Cancel);
        for (int sent = 0; sent < much.Length;)
            sent += await peer.SendAsync(much.AsMemory(sent), Cancel);
        // As many segments as the peer's window takes; how full they are is the reads' doing.
        while (stream.Session.GetStatus() is var status && status.InFlight < status.RemoteWindow)
            await Task.Delay(1, Cancel);
        if (behindAnEnd)
            peer.Shutdown(SocketShutdown.Send);
        peer.Close(0);
        await relay;
        Assert.InRange(stream.BytesSent, 1, much.Length - 1);
        Assert.Equal((true, false), (stream.IsClosed, stream.Session.IsClosed));
    }

    /// <summary>Many close so that the kernel resets, because they leave something unread: what they said before that is no less meant.</summary>
    [Theory(Timeout = 60_000)]
    [InlineData(4)]
    [InlineData(20_000)]
    public async Task WhatIsSaidBeforeABreakIsPassedOnIfNobodyIsToBeWaitedFor(int length)
    {
        TunnelStream stream = _bench.Greet(1).Session.OpenStream()!;
        (TcpSocket socket, Socket peer) = await ConnectAsync();
        await peer.SendAsync(new byte[length], Cancel);
        peer.Close(0);
        await ToldAsync(() => socket.HasFailed);
        await new Relay(socket, stream, isClient: true).RunAsync(Cancel);
        Assert.Equal(length, stream.BytesSent);
    }

    /// <summary>A socket that has said all and takes no more: neither would tell, and it would be kept for as long as it takes nothing.</summary>
    [Fact(Timeout = 60_000)]
    public async Task AResetDoesNotWaitForASocketThatIsFull()
    {
        using ServerBench bench = WideBench();
        BenchPeer sender = bench.Greet(1);
        TunnelStream stream = sender.Session.OpenStream()!;
        (TcpSocket socket, Socket peer) = await ConnectAsync();
        using Socket theirs = peer;
        Task relay = RelayMoreThanFits(sender, stream, socket, new byte[MoreThanFits]);
        peer.Shutdown(SocketShutdown.Send);
        await ToldAsync(() => socket.HasEnded);
        Assert.False(relay.IsCompleted);
        sender.Say(MuxCommand.Reset, stream.Id);
        await relay;
        Assert.Equal(0, stream.Session.GetStatus().Buffered);
    }

    /// <summary>One whose peers may send that much before anything is read.</summary>
    private static ServerBench WideBench() => new(new MuxOptions { StreamBuffer = 2 * MoreThanFits, SessionBuffer = 4 * MoreThanFits });

    /// <summary>Starts a relay whose stream brings more than its socket takes.</summary>
    private static Task RelayMoreThanFits(BenchPeer sender, TunnelStream stream, TcpSocket socket, byte[] data)
    {
        Task relay = new Relay(socket, stream, isClient: false).RunAsync(Cancel);
        foreach (byte[] part in data.Chunk(32 * 1024))
            sender.Say(MuxCommand.Data, stream.Id, part);
        // The rest of it waits, or this would show nothing.
        Assert.NotEqual(0, stream.Session.GetStatus().Buffered);
        return relay;
    }

    private Task<(TcpSocket Socket, Socket Peer)> ConnectAsync() => _reactor.ConnectAsync(Cancel);

    private static async Task ExpectAsync(Socket peer, string text)
    {
        byte[] received = new byte[text.Length + 1];
        Assert.Equal(text.Length, await peer.ReceiveAsync(received, Cancel));
        Assert.Equal(text, Encoding.ASCII.GetString(received, 0, text.Length));
    }

    /// <summary>Waits for something that the reactor's thread learns, and until whoever it tells of that has done what it does at once.</summary>
    private async Task ToldAsync(Func<bool> learnt)
    {
        while (!learnt())
            await Task.Delay(1, Cancel);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _reactor.Post(new ReactorWork(done.SetResult));
        await done.Task.WaitAsync(Cancel);
    }

    /// <summary>The last that was sent ends with the stream's end.</summary>
    private bool HasFinished(TunnelStream stream)
    {
        byte[] end = MuxBench.Frame(2, MuxCommand.Finish, stream.Id);
        return _bench.Carrier.LastSent.AsSpan().EndsWith(end);
    }
}
