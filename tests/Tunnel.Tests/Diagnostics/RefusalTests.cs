using System.Net;
using System.Net.Sockets;
using Tunnel.App.Runtime;
using Tunnel.Protocol.Mux;
using Tunnel.Tests.Services;

namespace Tunnel.Tests.Diagnostics;

/// <summary>What each cap refuses is counted as that cap's doing, once each.</summary>
public class RefusalTests
{
    private const int Limit = 60_000;

    /// <summary>Each refuses twice.</summary>
    private static readonly Dictionary<string, Refusal> Causes = new()
    {
        ["sessions"] = new("max_sessions", bench =>
        {
            BenchPeer first = bench.Greet(1);
            Assert.NotNull(first.Session.OpenStream());
            first.Acknowledge();
            Assert.True(first.Session.IsProven);
            bench.MaxSessions = 1;
            bench.Greet(2);
            bench.Greet(3);
        }),
        ["sessions for want of memory"] = new("memory", bench =>
        {
            bench.Greet(1);
            bench.Budget.Limit = 1;
            bench.Greet(2);
            bench.Greet(3);
        }),
        ["a peer's streams for want of memory"] = new("memory", bench =>
        {
            BenchPeer peer = bench.Greet(1);
            bench.Budget.Limit = 1;
            peer.Say(MuxCommand.Open, 5);
            peer.Say(MuxCommand.Open, 7);
        }),
        // The cap at the start was higher: what is live counts.
        ["a peer's streams"] = new("max_streams_per_session", bench =>
        {
            BenchPeer peer = bench.Greet(1);
            bench.Kcp = bench.Kcp with { MaxStreamsPerSession = 1 };
            peer.Say(MuxCommand.Open, 5);
            peer.Say(MuxCommand.Open, 7);
        }),
        ["own streams"] = new("max_streams_per_session", bench =>
        {
            BenchPeer peer = bench.Greet(1);
            bench.Kcp = bench.Kcp with { MaxStreamsPerSession = 1 };
            Assert.Null(peer.Session.OpenStream());
            Assert.Null(peer.Session.OpenStream());
        }),
        ["streams of all sessions"] = new("max_streams_total", bench =>
        {
            bench.Kcp = bench.Kcp with { MaxStreamsTotal = 2 };
            bench.Greet(1);
            BenchPeer second = bench.Greet(2);
            second.Say(MuxCommand.Open, 5);
            second.Say(MuxCommand.Open, 7);
        }),
        ["connections"] = new("max_connections", bench =>
        {
            bench.MaxConnections = 1;
            Assert.Equal([true, false, false], Enumerable.Range(0, 3).Select(_ => bench.Gate.TryEnter("forward")));
        }),
        // Where SOCKS5 refuses one is seen with UDP.
        ["associations"] = new("max_associations", bench =>
        {
            bench.End.Limits.Strike(LimitKind.MaxAssociations, "refused");
            bench.End.Limits.Strike(LimitKind.MaxAssociations, "refused");
        }),
    };

    public static TheoryData<string> Refused => [.. Causes.Keys];

    [Theory]
    [MemberData(nameof(Refused))]
    public void EachRefusalIsCountedByItsCap(string refused)
    {
        using var bench = new ServerBench();
        Assert.Equal(0, bench.Metrics().Sum("tunnel_refusals_total"));
        Causes[refused].Cause(bench);
        PrometheusParser metrics = bench.Metrics();
        Assert.Equal(2, metrics.Sum("tunnel_refusals_total", $"cap=\"{Causes[refused].Cap}\""));
        Assert.Equal(2, metrics.Sum("tunnel_refusals_total"));
    }

    [Fact]
    public void EveryCapThatThereIsHasACase()
    {
        using var bench = new ServerBench();
        Assert.Equal(
            Causes.Values.Select(c => $"tunnel_refusals_total{{cap=\"{c.Cap}\"}}").Distinct().Order(),
            bench.Metrics().Series.Keys.Where(k => k.StartsWith("tunnel_refusals_total", StringComparison.Ordinal)).Order());
    }

    /// <summary>A server has listeners, too: its clients' reverse ones.</summary>
    [Fact(Timeout = Limit)]
    public async Task ConnectionsToReverseForwardsAreCountedAtTheServer()
    {
        const string server = "[reverse]\nallow=['*']\n[listeners]\nmax_connections=1\n";
        using var target = new TcpAnswerer();
        var listen = new IPEndPoint(IPAddress.Loopback, FreePort());
        await using TunnelPair pair = await TunnelPair.StartAsync(
            $"[[reverse]]\nlisten='{listen}'\ntarget='127.0.0.1:{target.Port}'\n", server: server);
        using Socket taken = await ConnectAsync(listen, () => pair.Server.Reverse!.Active == 1);
        using Socket refused = await ConnectAsync(listen, () => Refusals(pair) == 1);
        Assert.Equal(1, Refusals(pair));
    }

    private static double Refusals(TunnelPair pair) =>
        MeasuredPair.MetricsOf(pair.Server).Sum("tunnel_refusals_total", "cap=\"max_connections\"");

    /// <summary>One connection, once somebody listens, and what it leads to.</summary>
    private static async Task<Socket> ConnectAsync(IPEndPoint listen, Func<bool> effect)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        while (!await TryConnectAsync(socket, listen))
            await Task.Delay(10, TestContext.Current.CancellationToken);
        while (!effect())
            await Task.Delay(10, TestContext.Current.CancellationToken);
        return socket;
    }

    /// <summary>False while nobody listens.</summary>
    private static async Task<bool> TryConnectAsync(Socket socket, IPEndPoint listen)
    {
        try
        {
            await socket.ConnectAsync(listen, TestContext.Current.CancellationToken);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused or SocketError.ConnectionReset)
        {
            // What is refused for a cap is reset, which may be before this end knows that it was open.
            return e.SocketErrorCode == SocketError.ConnectionReset;
        }

        return true;
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private sealed record Refusal(string Cap, Action<ServerBench> Cause);
}
