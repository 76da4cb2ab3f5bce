using System.Net;
using System.Net.Sockets;
using Tunnel.Protocol.Sessions;
using Tunnel.Tests.Runtime.Pool;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Services;

/// <summary>Targets that never answer, and applications that do not wait for them: neither end waits longer than they do.</summary>
public sealed class AbandonedDialTests : IDisposable
{
    private readonly Swallower _target = new(new IPEndPoint(IPAddress.Loopback, 0));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _target.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task AProxysDialEndsWithItsApplication(bool resets)
    {
        await using TunnelPair pair = await TunnelPair.StartAsync("[[socks5]]\nlisten='127.0.0.1:0'\n");
        using Socket socket = await ConnectAsync(pair.Listener);
        await socket.SendAsync(Hex.Bytes("050100" + "05010001" + "7f000001" + $"{_target.Port:x4}"), Cancel);
        Assert.Equal(2, await socket.ReceiveAsync(new byte[8], Cancel));
        await AssertEndsAsync(pair, () => socket.Close(resets ? 0 : -1));
    }

    [Fact]
    public async Task AForwardsDialEndsWithItsApplication()
    {
        await using TunnelPair pair = await TunnelPair.StartAsync($"[[forward]]\nlisten='127.0.0.1:0'\ntarget='127.0.0.1:{_target.Port}'\n");
        using Socket socket = await ConnectAsync(pair.Listener);
        await AssertEndsAsync(pair, () => socket.Close(0));
    }

    /// <summary>Whoever has nothing to say to a forwarded port may still want to hear something.</summary>
    [Fact]
    public async Task AnEndAloneDoesNotEndAForwardsDial()
    {
        await using TunnelPair pair = await TunnelPair.StartAsync($"[[forward]]\nlisten='127.0.0.1:0'\ntarget='127.0.0.1:{_target.Port}'\n");
        using Socket socket = await ConnectAsync(pair.Listener);
        socket.Shutdown(SocketShutdown.Send);
        await PoolWorld.Eventually(() => pair.Server.Ledger.Dials.Read().Any(dial => dial.Result == DialResult.TimedOut));
    }

    private static async Task AssertEndsAsync(TunnelPair pair, Action leave)
    {
        await PoolWorld.Eventually(() => IsDialing(pair));
        leave();
        await PoolWorld.Eventually(() => !IsDialing(pair) && pair.Client.Listeners[0].Active == 0);
        // It was given up, and did not run out of time.
        Assert.Empty(pair.Server.Ledger.Dials.Read());
        Assert.Empty(pair.Client.Ledger.Dials.Read());
    }

    private static bool IsDialing(TunnelPair pair) =>
        pair.Server.Sessions!.GetAll().Any(session => session.GetStreams(10).Any(stream => stream.Use is not null));

    private static async Task<Socket> ConnectAsync(IPEndPoint listener)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(listener, Cancel);
        return socket;
    }
}
