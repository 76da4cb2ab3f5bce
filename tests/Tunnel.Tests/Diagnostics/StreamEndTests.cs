using System.Net;
using System.Net.Sockets;
using Tunnel.Protocol.Mux;
using Tunnel.Tests.Services;

namespace Tunnel.Tests.Diagnostics;

/// <summary>Each way in which a stream ends, as both ends count it: a connection is carried and ended by one of its four sides.</summary>
public class StreamEndTests
{
    private const int Limit = 60_000;

    private static readonly Dictionary<string, Ending> Causes = new()
    {
        ["both directions in order"] = new("finished", "finished", (application, target, _) =>
        {
            application.Shutdown(SocketShutdown.Send);
            target.Shutdown(SocketShutdown.Send);
        }),
        ["the application breaks off"] = new("closed", "reset", (application, _, _) => Reset(application)),
        ["the target breaks off"] = new("reset", "closed", (_, target, _) => Reset(target)),
        // The peer hears nothing of it: its stream ends with its session, whenever that does.
        ["the client's session ends"] = new("lost", "", (_, _, pair) => pair.Client.Connections[0].Session!.Close(CloseReason.Local)),
        ["the server's session ends"] = new("", "lost", (_, _, pair) => Assert.Single(pair.Server.Sessions!.GetAll()).Close(CloseReason.Local)),
    };

    public static TheoryData<string> Ends => [.. Causes.Keys];

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Ends))]
    public async Task EachEndIsCountedAsItself(string how)
    {
        CancellationToken cancel = TestContext.Current.CancellationToken;
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using TunnelPair pair = await TunnelPair.StartAsync($"[[forward]]\nlisten='127.0.0.1:0'\ntarget='{listener.LocalEndpoint}'\n");
        using var application = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await application.ConnectAsync(pair.Listener, cancel);
        using Socket target = await listener.AcceptSocketAsync(cancel);
        await SayAsync(application, target);
        await SayAsync(target, application);
        // Streams for words between the two ends come first, and are over by now.
        while (Streams(MeasuredPair.MetricsOf(pair.Client)) != 1 || Streams(MeasuredPair.MetricsOf(pair.Server)) != 1)
            await Task.Delay(10, cancel);
        PrometheusParser client = MeasuredPair.MetricsOf(pair.Client), server = MeasuredPair.MetricsOf(pair.Server);

        Causes[how].Cause(application, target, pair);
        await CountedAsync(() => MeasuredPair.MetricsOf(pair.Client), client, Causes[how].AtClient);
        await CountedAsync(() => MeasuredPair.MetricsOf(pair.Server), server, Causes[how].AtServer);
    }

    private static async Task CountedAsync(Func<PrometheusParser> read, PrometheusParser before, string reason)
    {
        if (reason.Length == 0)
            return;
        string label = $"reason=\"{reason}\"";
        while (read().Sum(Closed, label) == before.Sum(Closed, label))
            await Task.Delay(10, TestContext.Current.CancellationToken);
        Assert.Equal(1, read().Sum(Closed, label) - before.Sum(Closed, label));
    }

    private const string Closed = "tunnel_streams_closed_total";

    private static double Streams(PrometheusParser metrics) => metrics.Sum("tunnel_streams");

    private static void Reset(Socket socket)
    {
        socket.LingerState = new LingerOption(true, 0);
        socket.Dispose();
    }

    private static async Task SayAsync(Socket from, Socket to)
    {
        await from.SendAsync(new byte[] { 1 }, TestContext.Current.CancellationToken);
        Assert.Equal(1, await to.ReceiveAsync(new byte[1], TestContext.Current.CancellationToken));
    }

    /// <summary>What each end counts; nothing where it does not hear of it.</summary>
    private sealed record Ending(string AtClient, string AtServer, Action<Socket, Socket, TunnelPair> Cause);
}
