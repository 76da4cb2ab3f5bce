using System.Net;
using System.Net.Sockets;
using Tunnel.App.Hosting;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Services;

/// <summary>Connections to a listener at the server, carried back to targets near the client; both ends in this process.</summary>
public class ReverseTests
{
    private const string AllowAll = "[reverse]\nallow=['*']\n";
    private const int Length = 300_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("127.0.0.1", "v1", 1)]
    [InlineData("127.0.0.1", "v3", 1)]
    [InlineData("127.0.0.1", "gob", 1)]
    [InlineData("127.0.0.1", "v1", 3)]
    [InlineData("::1", "v1", 2)]
    public async Task BytesComeWholeBothWaysAndBothEndsAreSeen(string address, string header, int conn)
    {
        using var target = new TcpAnswerer();
        var listen = new IPEndPoint(IPAddress.Parse(address), FreePort());
        await using TunnelPair pair = await TunnelPair.StartAsync(Reverse(listen, target.Port), header, server: AllowAll, conn: conn);
        await Eventually(() => pair.Client.Connections.All(c => c.Session is not null));
        for (int i = 0; i < 2 * conn; i++)
            await ExchangeAsync(listen, i);
        Assert.Equal(1, pair.Server.Reverse!.Count);
        await Eventually(() => pair.Server.Reverse.Active == 0);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[reverse]\nallow=['127.0.0.0/8:1', '10.0.0.0/8', '[::]']\n")]
    public async Task WhatIsNotAllowedIsRefusedAndSaid(string server)
    {
        var log = new LogLines();
        var listen = new IPEndPoint(IPAddress.Loopback, FreePort());
        await using TunnelPair pair = await TunnelPair.StartAsync(Reverse(listen, 1), server: server, log: log);
        await Eventually(() => log.Has($"reverse {listen}: the server does not allow it"));
        Assert.Equal(0, pair.Server.Reverse!.Count);
        await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(listen));
    }

    [Fact]
    public async Task APortThatIsTakenIsSaidAndHadOnceItIsFree()
    {
        using var target = new TcpAnswerer();
        using var other = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        var listen = (IPEndPoint)other.LocalEndPoint!;
        var log = new LogLines();
        await using TunnelPair pair = await TunnelPair.StartAsync(Reverse(listen, target.Port), server: AllowAll, log: log);
        await Eventually(() => log.Has($"reverse {listen}: the address is in use at the server"));
        other.Dispose();
        await Eventually(() => log.Has($"listens on {listen}, for 127.0.0.1:{target.Port}"));
        await ExchangeAsync(listen, 1);
    }

    [Fact]
    public async Task AnAddressThatIsNotTheServersIsSaid()
    {
        var log = new LogLines();
        await using TunnelPair pair =
            await TunnelPair.StartAsync(Reverse(IPEndPoint.Parse("192.0.2.7:4000"), 1), server: AllowAll, log: log);
        await Eventually(() => log.Has("reverse 192.0.2.7:4000: the server has no such address"));
    }

    [Fact]
    public async Task ATargetThatRefusesIsAResetAndIsSaid()
    {
        int nobody = FreePort();
        var listen = new IPEndPoint(IPAddress.Loopback, FreePort());
        var log = new LogLines();
        await using TunnelPair pair = await TunnelPair.StartAsync(Reverse(listen, nobody), server: AllowAll, log: log);
        await Eventually(() => log.Has("listens on"));
        // The reset may come before connecting has been noticed.
        var e = await Assert.ThrowsAsync<SocketException>(async () =>
        {
            using Socket socket = await ConnectAsync(listen);
            await socket.ReceiveAsync(new byte[1], Cancel);
        });
        Assert.Equal(SocketError.ConnectionReset, e.SocketErrorCode);
        await Eventually(() => log.Has($"reverse {listen}: could not connect to 127.0.0.1:{nobody} for 127.0.0.1:"));
    }

    [Fact]
    public async Task ASecondClientWaitsForTheFirstToGo()
    {
        using var first = new TcpAnswerer();
        using var second = new TcpAnswerer();
        var listen = new IPEndPoint(IPAddress.Loopback, FreePort());
        await using TunnelPair pair = await TunnelPair.StartAsync(Reverse(listen, first.Port), server: AllowAll);
        await Eventually(() => pair.Server.Reverse!.Count == 1);
        var log = new LogLines();
        using ClientHost other = await pair.StartAnotherClientAsync(Reverse(listen, second.Port), log);
        await Eventually(() => log.Has("the address is in use at the server"));
        await ExchangeAsync(listen, 1);
        Assert.Equal((1, 0), (first.Accepted, second.Accepted));

        await pair.StopClientAsync();
        await Eventually(() => log.Has("listens on"));
        await ExchangeAsync(listen, 2);
        Assert.Equal((1, 1), (first.Accepted, second.Accepted));
        await other.StopAsync(Cancel);
        await Eventually(() => pair.Server.Reverse!.Count == 0);
        await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(listen));
    }

    /// <summary>What is under way on one session is lost with it; the listener is not, and what connects in between waits.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task TheListenerOutlivesASessionThatBreaks(int conn)
    {
        using var target = new TcpAnswerer();
        var listen = new IPEndPoint(IPAddress.Loopback, FreePort());
        var log = new LogLines();
        await using TunnelPair pair = await TunnelPair.StartAsync(Reverse(listen, target.Port), server: AllowAll, log: log, conn: conn);
        await Eventually(() => pair.Client.Connections.All(c => c.Session is not null) && log.Has("listens on"));
        for (int i = 0; i < 3; i++)
        {
            // The server does not learn of it before the client asks again.
            pair.Client.Connections[0].Session?.Close(CloseReason.ProtocolError);
            await ExchangeAsync(listen, i);
            await ExchangeAsync(listen, i);
            Assert.Equal(1, pair.Server.Reverse!.Count);
        }
    }

    [Fact]
    public async Task AServerThatStopsListensNoMore()
    {
        using var target = new TcpAnswerer();
        var listen = new IPEndPoint(IPAddress.Loopback, FreePort());
        await using TunnelPair pair = await TunnelPair.StartAsync(Reverse(listen, target.Port), server: AllowAll);
        await Eventually(() => pair.Server.Reverse!.Count == 1);
        await pair.StopServerAsync();
        await Assert.ThrowsAsync<SocketException>(() => ConnectAsync(listen));
    }

    [Fact]
    public async Task ConnectionsOverTheCapAreClosedAtOnce()
    {
        using var target = new TcpAnswerer();
        var listen = new IPEndPoint(IPAddress.Loopback, FreePort());
        await using TunnelPair pair =
            await TunnelPair.StartAsync(Reverse(listen, target.Port), server: AllowAll + "[listeners]\nmax_connections=1\n");
        await Eventually(() => pair.Server.Reverse!.Count == 1);
        using Socket first = await ConnectAsync(listen);
        await Eventually(() => target.Accepted == 1);
        // The reset may come before the kernel has told that the connection stands.
        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            using Socket second = await ConnectAsync(listen);
            await second.ReceiveAsync(new byte[1], Cancel);
        });
        first.Dispose();
        await Eventually(() => pair.Server.Reverse!.Active == 0);
        await ExchangeAsync(listen, 1);
    }

    [Theory]
    [InlineData("127.0.0.1", 60)]
    [InlineData("::1", 1200)]
    public async Task Datagrams(string address, int length)
    {
        using var echo = new UdpEcho(IPAddress.Loopback);
        var listen = new IPEndPoint(IPAddress.Parse(address), FreePort());
        await using TunnelPair pair =
            await TunnelPair.StartAsync(Reverse(listen, echo.Port) + "protocol='udp'\n", server: AllowAll);
        await Eventually(() => pair.Server.Reverse!.Count == 1);
        using var one = new UdpApplication(listen);
        using var two = new UdpApplication(listen);
        for (byte i = 0; i < 100; i++)
        {
            Assert.Equal(Bytes(i, length), await one.AskAsync(Bytes(i, length)));
            Assert.Equal(Bytes(i + 1, length), await two.AskAsync(Bytes(i + 1, length)));
        }

        Assert.Equal((2, 2), (pair.Server.Udp.Flows, pair.Client.Udp.Flows));
        await pair.StopClientAsync();
        await Eventually(() => (pair.Server.Udp.Flows, pair.Client.Udp.Flows) == (0, 0));
    }

    private static string Reverse(IPEndPoint listen, int target) => $"[[reverse]]\nlisten='{listen}'\ntarget='127.0.0.1:{target}'\n";

    /// <summary>Says something, ends, and hears the answer that the target gives only then.</summary>
    private static async Task ExchangeAsync(IPEndPoint listen, int seed)
    {
        using Socket socket = await ConnectWhenListenedAsync(listen);
        byte[] request = Bytes(seed, Length);
        for (int sent = 0; sent < request.Length;)
            sent += await socket.SendAsync(request.AsMemory(sent), Cancel);
        socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(TcpAnswerer.Answer(request), await TcpAnswerer.ReceiveAllAsync(socket, Cancel));
    }

    private static async Task<Socket> ConnectWhenListenedAsync(IPEndPoint listen)
    {
        Socket? socket = null;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (socket is null)
        {
            try
            {
                socket = await ConnectAsync(listen);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
            {
                await Task.Delay(10, limit.Token);
            }
        }

        return socket;
    }

    private static async Task<Socket> ConnectAsync(IPEndPoint listen)
    {
        var socket = new Socket(listen.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(listen, Cancel);
        return socket;
    }

    private static byte[] Bytes(int seed, int length)
    {
        var random = new Prng((ulong)seed);
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++)
            bytes[i] = (byte)random.NextUInt32();
        return bytes;
    }

    /// <summary>A TCP port of loopback that is free now.</summary>
    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static async Task Eventually(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition())
            await Task.Delay(10, limit.Token);
    }
}
