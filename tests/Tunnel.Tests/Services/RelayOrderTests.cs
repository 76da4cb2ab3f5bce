using System.Net;
using System.Net.Sockets;
using Tunnel.App.Runtime;
using Tunnel.App.Services;
using Tunnel.Links.Sockets;
using Tunnel.Tests.Diagnostics;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Services;

/// <summary>A relay whose socket has something to say before it begins.</summary>
public sealed class RelayOrderTests : IDisposable
{
    private readonly ServerBench _bench = new();
    private readonly SocketReactor _reactor = new("test", () => { }, () => { }, _ => { });
    private readonly Socket _listening = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public RelayOrderTests()
    {
        _listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listening.Listen();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _listening.Dispose();
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
        TcpSocket socket = await Connected.ToAsync((IPEndPoint)_listening.LocalEndPoint!, _reactor, Cancel);
        using Socket peer = await _listening.AcceptAsync(Cancel);
        await peer.SendAsync("one"u8.ToArray(), Cancel);
        while (!socket.HasNews)
            await Task.Delay(1, Cancel);

        Task relay = new Relay(socket, stream, isClient: true).RunAsync(Cancel);
        Assert.Equal(3, stream.BytesSent);
        await peer.SendAsync("two"u8.ToArray(), Cancel);
        while (stream.BytesSent != 6)
            await Task.Delay(1, Cancel);
        stream.Session.Close(Protocol.Mux.CloseReason.Local);
        await relay;
    }
}
