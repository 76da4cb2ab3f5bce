using Tunnel.EndToEnd.Harness;
using Tunnel.EndToEnd.Targets;

namespace Tunnel.EndToEnd.Peers;

/// <summary>Our server, and a client that speaks paqet's words byte by byte, in each of its dialects.</summary>
[Collection(nameof(PaqetClientTests))]
public class PaqetClientTests : EndToEndTest
{
    private const int Length = 1_000_000;

    public static TheoryData<string> Dialects => ["v1", "v3", "gob"];

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Dialects))]
    public async Task ATcpStreamCarriesBytesBothWays(string dialect)
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        ScriptedPeer peer = await StartAsync();
        await EchoAsync(peer, dialect, target);
    }

    /// <summary>The reply is whole before the FIN behind it, which to such a peer is the end of everything.</summary>
    [Theory(Timeout = Limit)]
    [MemberData(nameof(Dialects))]
    public async Task TheReplyIsWholeBeforeTheEnd(string dialect)
    {
        SocketTarget target = Own(SocketTarget.Start(async socket =>
        {
            Assert.Equal("request", await socket.ReceiveTextAsync(7));
            await socket.SendAllAsync(Payload.Bytes(1, Length));
        }));
        ScriptedPeer peer = await StartAsync();
        ScriptedStream stream = peer.Open();
        await stream.SendAsync(PaqetBytes.Tcp(dialect, "127.0.0.1", target.Port));
        await stream.SendAsync("request"u8.ToArray());
        Assert.Equal(Payload.Hash(1, Length), Payload.Hash(await stream.ReceiveToEndAsync()));
    }

    /// <summary>What such a peer sent before its FIN has not been taken back by it.</summary>
    [Theory(Timeout = Limit)]
    [MemberData(nameof(Dialects))]
    public async Task WhatWasSentBeforeTheEndArrives(string dialect)
    {
        var received = new TaskCompletionSource<byte[]>();
        SocketTarget target = Own(SocketTarget.Start(async socket => received.SetResult(await socket.ReceiveToEndAsync())));
        ScriptedPeer peer = await StartAsync();
        ScriptedStream stream = peer.Open();
        await stream.SendAsync(PaqetBytes.Tcp(dialect, "127.0.0.1", target.Port));
        await stream.SendAllAsync(Payload.Bytes(2, Length));
        stream.Close();
        Assert.Equal(Payload.Hash(2, Length), Payload.Hash(await received.Task.WaitAsync(Until.Patience)));
    }

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Dialects))]
    public async Task ADatagramIsAFrame(string dialect)
    {
        using var echo = new UdpEchoTarget();
        ScriptedPeer peer = await StartAsync();
        ScriptedStream stream = peer.Open();
        await stream.SendAsync(PaqetBytes.Udp(dialect, "127.0.0.1", echo.Port));
        foreach (int length in (int[])[1, 700, 1200, 4000, 2])
        {
            byte[] datagram = Payload.Bytes(length, length);
            await stream.SendAsync(datagram);
            Assert.Equal(datagram, await stream.ReceiveAsync());
        }
    }

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Dialects))]
    public async Task FlagsAreAnnouncedOnAStreamOfTheirOwnAndNotAnswered(string dialect)
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        ScriptedPeer peer = await StartAsync();
        for (int i = 0; i < 3; i++)
        {
            ScriptedStream flags = peer.Open();
            await flags.SendAsync(PaqetBytes.Flags(dialect));
            await EchoAsync(peer, dialect, target);
            Assert.Empty(await flags.ReceiveToEndAsync());
            flags.Close();
        }
    }

    /// <summary>How paqet checks that its session lives: SYN, FIN, and not a word.</summary>
    [Fact(Timeout = Limit)]
    public async Task ABareStreamHarmsNothing()
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        ScriptedPeer peer = await StartAsync();
        for (int i = 0; i < 50; i++)
            peer.Open().Close();
        await EchoAsync(peer, "v1", target);
        Assert.True(peer.IsAlive);
    }

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Dialects))]
    public async Task PingIsAnsweredInItsOwnDialect(string dialect)
    {
        ScriptedPeer peer = await StartAsync();
        ScriptedStream stream = peer.Open();
        await stream.SendAsync(PaqetBytes.Ping(dialect));
        await stream.ExpectAsync(PaqetBytes.Pong(dialect));
        Assert.Empty(await stream.ReceiveAsync());
    }

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Dialects))]
    public async Task PingWhoseAnswerNobodyWantsHarmsNothing(string dialect)
    {
        SocketTarget target = Own(SocketTarget.StartEcho());
        ScriptedPeer peer = await StartAsync();
        for (int i = 0; i < 20; i++)
        {
            ScriptedStream stream = peer.Open();
            await stream.SendAsync(PaqetBytes.Ping(dialect));
            stream.Close();
        }

        await EchoAsync(peer, dialect, target);
        Assert.True(peer.IsAlive);
    }

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Dialects))]
    public async Task ADialThatFailsIsAnEndWithoutAWord(string dialect)
    {
        SocketTarget nobody = SocketTarget.StartEcho();
        int port = nobody.Port;
        await nobody.DisposeAsync();
        ScriptedPeer peer = await StartAsync();
        ScriptedStream stream = peer.Open();
        await stream.SendAsync(PaqetBytes.Tcp(dialect, "127.0.0.1", port));
        Assert.Empty(await stream.ReceiveToEndAsync());
    }

    private async Task<ScriptedPeer> StartAsync()
    {
        int port = FreeUdpPort();
        await StartServerAsync(ScriptedPeer.Stock(TunnelSettings.UdpServer(port)));
        return Own(ScriptedPeer.Connect(port));
    }

    private static async Task EchoAsync(ScriptedPeer peer, string dialect, SocketTarget target)
    {
        ScriptedStream stream = peer.Open();
        await stream.SendAsync(PaqetBytes.Tcp(dialect, "127.0.0.1", target.Port));
        byte[] data = Payload.Bytes(3, 200_000);
        Task sending = stream.SendAllAsync(data);
        Assert.Equal(Payload.Hash(data), Payload.Hash(await stream.ReceiveBytesAsync(data.Length)));
        await sending;
        stream.Close();
    }
}
