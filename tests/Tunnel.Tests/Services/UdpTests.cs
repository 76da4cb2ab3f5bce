using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Tunnel.App.Runtime;
using Tunnel.App.Services;
using Tunnel.Tests.Diagnostics;

namespace Tunnel.Tests.Services;

/// <summary>Datagrams from application to target and back, through both ends of the tunnel in this process.</summary>
public class UdpTests
{
    /// <summary>What a socket's buffer holds for certain, whatever its size: the kernel counts whole pages.</summary>
    private const int OutstandingBytes = 40_000;

    private const int Outstanding = 32;

    private const string Socks5 = "[[socks5]]\nlisten='127.0.0.1:0'\n";

    [Theory]
    [InlineData(60, "v1", true)]
    [InlineData(1200, "v1", true)]
    [InlineData(1200, "v3", true)]
    [InlineData(1200, "gob", true)]
    [InlineData(60, "v1", false)]
    [InlineData(9000, "v1", false)]
    public async Task Forward(int length, string header, bool framePerDatagram)
    {
        using var echo = new UdpEcho(IPAddress.Loopback);
        await using TunnelPair pair = await TunnelPair.StartAsync(ForwardTo(echo.Port), header, !framePerDatagram);
        using var application = new UdpApplication(pair.Listener);
        await ExchangeAsync(application, length, 2000);
        // The last datagram is counted once it has been handed over, which the application may notice first.
        await Eventually(() => (pair.Client.Udp.ToTunnel, pair.Client.Udp.FromTunnel) == (2000, 2000));
    }

    [Theory]
    [InlineData(60)]
    [InlineData(1200)]
    public async Task ThroughSocks5(int length)
    {
        using var echo = new UdpEcho(IPAddress.Loopback);
        await using TunnelPair pair = await TunnelPair.StartAsync(Socks5);
        using Socks5Client client = await Socks5Client.AssociateAsync(pair.Listener);
        using var application = new UdpApplication(client.Relay, Socks5Client.Header(IPAddress.Loopback, echo.Port));
        await ExchangeAsync(application, length, 2000);
    }

    /// <summary>Several targets of one association, each named in its own way.</summary>
    [Fact]
    public async Task TargetsOfEveryKind()
    {
        // The server takes a name's first address.
        using var echo = new UdpEcho((await Dns.GetHostAddressesAsync("localhost"))[0]);
        await using TunnelPair pair = await TunnelPair.StartAsync(Socks5);
        using Socks5Client client = await Socks5Client.AssociateAsync(pair.Listener);
        using var byName = new UdpApplication(client.Relay, Socks5Client.Header("localhost", echo.Port));
        Assert.Equal("name"u8.ToArray(), await byName.AskAsync("name"u8.ToArray()));
        if (!Socket.OSSupportsIPv6)
            return;
        using var echo6 = new UdpEcho(IPAddress.IPv6Loopback);
        using Socks5Client other = await Socks5Client.AssociateAsync(pair.Listener);
        using var by6 = new UdpApplication(other.Relay, Socks5Client.Header(IPAddress.IPv6Loopback, echo6.Port));
        Assert.Equal("six"u8.ToArray(), await by6.AskAsync("six"u8.ToArray()));
    }

    [Fact]
    public async Task LargeDatagramsAreNeverSplit()
    {
        using var echo = new UdpEcho(IPAddress.Loopback);
        await using TunnelPair pair = await TunnelPair.StartAsync(ForwardTo(echo.Port));
        using var application = new UdpApplication(pair.Listener);
        foreach (int length in (int[])[1, 1318, 1319, 20_000, 65_507])
            Assert.Equal(Numbered(length, length), await application.AskAsync(Numbered(length, length)));
    }

    [Fact]
    public async Task WhatSocks5DoesNotTakeIsCounted()
    {
        using var echo = new UdpEcho(IPAddress.Loopback);
        await using TunnelPair pair = await TunnelPair.StartAsync(Socks5);
        using Socks5Client client = await Socks5Client.AssociateAsync(pair.Listener);
        byte[] header = Socks5Client.Header(IPAddress.Loopback, echo.Port), fragment = [.. header];
        fragment[2] = 1;
        using var application = new UdpApplication(client.Relay, header);
        await application.AskAsync("first"u8.ToArray());
        using var raw = new UdpApplication(client.Relay);
        await raw.SendAsync(header);
        await Eventually(() => pair.Client.Udp.GetDrops(UdpDrop.Stranger) == 1);

        using Socks5Client another = await Socks5Client.AssociateAsync(pair.Listener);
        using var plain = new UdpApplication(another.Relay);
        await plain.SendAsync(fragment);
        await plain.SendAsync([0, 0, 0, 9, 1]);
        await Eventually(() => (pair.Client.Udp.GetDrops(UdpDrop.Fragment), pair.Client.Udp.GetDrops(UdpDrop.Malformed)) == (1, 1));
        Assert.Equal(1, pair.Server.Udp.Flows);
    }

    /// <summary>Its port is free at once, for another one of the same file.</summary>
    [Fact]
    public async Task AListenerThatIsNoLongerInTheFileIsClosed()
    {
        using var echo = new UdpEcho(IPAddress.Loopback);
        await using TunnelPair pair = await TunnelPair.StartAsync(ForwardTo(echo.Port));
        IPEndPoint listener = pair.Listener;
        using (var application = new UdpApplication(listener))
            await application.AskAsync("hello"u8.ToArray());
        pair.Reload(Socks5 + $"[[forward]]\nlisten='127.0.0.1:{listener.Port}'\ntarget='127.0.0.1:1'\n");
        Assert.Equal(2, pair.Client.Listeners.Count);
        await Eventually(() => (pair.Client.Udp.Flows, pair.Server.Udp.Flows) == (0, 0));
        pair.Reload(ForwardTo(echo.Port).Replace(":0'", $":{listener.Port}'"));
        using (var application = new UdpApplication(Assert.Single(pair.Client.Listeners).LocalEndPoint))
            await application.AskAsync("hello"u8.ToArray());
    }

    [Fact]
    public async Task AnAssociationEndsWithItsConnection()
    {
        using var echo = new UdpEcho(IPAddress.Loopback);
        await using TunnelPair pair = await TunnelPair.StartAsync(Socks5 + "[udp]\nmax_associations=1\n");
        using Socks5Client client = await Socks5Client.AssociateAsync(pair.Listener);
        using var application = new UdpApplication(client.Relay, Socks5Client.Header(IPAddress.Loopback, echo.Port));
        await application.AskAsync("hello"u8.ToArray());
        Assert.Equal((1, 1), (pair.Client.Udp.Flows, pair.Server.Udp.Flows));
        using (Socks5Client refused = await Socks5Client.AssociateAsync(pair.Listener))
            Assert.Equal(1, refused.Reply);
        Assert.Equal(1, MeasuredPair.MetricsOf(pair.Client).Sum("tunnel_refusals_total", "cap=\"max_associations\""));
        client.Dispose();
        await Eventually(() => (pair.Client.Udp.Flows, pair.Server.Udp.Flows) == (0, 0));
        await Eventually(() => pair.Client.Listeners[0].Active == 0);
        using Socks5Client next = await Socks5Client.AssociateAsync(pair.Listener);
        Assert.Equal(0, next.Reply);
    }

    [Fact]
    public async Task AnIdleFlowEndsAndBeginsAgain()
    {
        using var echo = new UdpEcho(IPAddress.Loopback);
        var limits = new UdpLimits { Idle = TimeSpan.FromMilliseconds(300) };
        await using TunnelPair pair = await TunnelPair.StartAsync(ForwardTo(echo.Port), limits: limits);
        using var application = new UdpApplication(pair.Listener);
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal("hello"u8.ToArray(), await application.AskAsync("hello"u8.ToArray()));
            await Eventually(() => (pair.Client.Udp.Flows, pair.Server.Udp.Flows) == (0, 0));
        }
    }

    /// <summary>The one that is least likely to be missed gives its place, and what it then says begins a new one.</summary>
    [Fact]
    public async Task TheLeastWantedFlowMakesRoom()
    {
        using var echo = new UdpEcho(IPAddress.Loopback);
        await using TunnelPair pair = await TunnelPair.StartAsync(ForwardTo(echo.Port), limits: new UdpLimits { MaxFlows = 2 });
        using UdpApplication first = new(pair.Listener), second = new(pair.Listener), third = new(pair.Listener);
        await first.AskAsync("hello"u8.ToArray());
        await second.AskAsync("hello"u8.ToArray());
        // The first is the quietest no more, by any clock.
        await Task.Delay(50);
        await first.AskAsync("hello"u8.ToArray());
        await third.AskAsync("hello"u8.ToArray());
        await Eventually(() => (pair.Client.Udp.GetEnds(UdpFlowEnd.Expelled), pair.Client.Udp.Flows, pair.Server.Udp.Flows) == (1, 2, 2));
        Assert.Equal(1, pair.Client.Limits.GetStrikes(LimitKind.MaxFlows));
        await first.AskAsync("hello"u8.ToArray());
        Assert.Equal(1, pair.Client.Udp.GetEnds(UdpFlowEnd.Expelled));
        await second.AskAsync("hello"u8.ToArray());
        await Eventually(() => pair.Client.Udp.GetEnds(UdpFlowEnd.Expelled) == 2);
    }

    /// <summary>Names are looked up by datagrams from a new port each: more of them than a session has streams, and connections still find theirs.</summary>
    [Fact]
    public async Task SendersWithoutEndLeaveRoomForConnections()
    {
        const int streams = 16;
        using var echo = new UdpEcho(IPAddress.Loopback);
        using var answerer = new TcpAnswerer();
        string listeners = $"{ForwardTo(echo.Port)}[[forward]]\nlisten='127.0.0.1:0'\ntarget='127.0.0.1:{answerer.Port}'\n";
        await using TunnelPair pair = await TunnelPair.StartAsync(listeners, kcp: $"max_streams_per_session={streams}\n");
        for (int i = 0; i < 3 * streams; i++)
        {
            using var sender = new UdpApplication(pair.Listener);
            Assert.Equal("hello"u8.ToArray(), await sender.AskAsync("hello"u8.ToArray()));
        }

        Assert.Equal(streams / 2, pair.Client.Udp.Flows);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(pair.Client.Listeners[1].LocalEndPoint);
        await socket.SendAsync("hello"u8.ToArray());
        socket.Shutdown(SocketShutdown.Send);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        Assert.Equal(TcpAnswerer.Answer("hello"u8.ToArray()), await TcpAnswerer.ReceiveAllAsync(socket, limit.Token));
    }

    /// <summary>Numbered datagrams, some on their way at a time: all come back, whole and in order.</summary>
    private static async Task ExchangeAsync(UdpApplication application, int length, int count)
    {
        int outstanding = Math.Min(Outstanding, OutstandingBytes / length);
        for (int sent = 0, received = 0; received < count;)
        {
            for (; sent < count && sent - received < outstanding; sent++)
                await application.SendAsync(Numbered(sent, length));
            Assert.Equal(Numbered(received++, length), await application.ReceiveAsync());
        }
    }

    private static byte[] Numbered(int number, int length)
    {
        byte[] data = [.. Enumerable.Range(0, length).Select(i => (byte)(number + i))];
        if (length >= 4)
            BinaryPrimitives.WriteInt32BigEndian(data, number);
        return data;
    }

    private static string ForwardTo(int port) => $"[[forward]]\nlisten='127.0.0.1:0'\nprotocol='udp'\ntarget='127.0.0.1:{port}'\n";


    private static async Task Eventually(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition())
            await Task.Delay(10, limit.Token);
    }
}
