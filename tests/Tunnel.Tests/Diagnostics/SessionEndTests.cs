using Tunnel.App.Diagnostics.Metering;
using Tunnel.App.Runtime;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;
using Tunnel.Tests.Services;

namespace Tunnel.Tests.Diagnostics;

/// <summary>Each reason for which sessions end, brought about and counted: once, and as that reason.</summary>
public class SessionEndTests
{
    private const int Limit = 60_000;

    private static readonly Dictionary<CloseReason, Action<ServerBench, BenchPeer>> Causes = new()
    {
        [CloseReason.Local] = (bench, _) => bench.Sessions.Close(),
        [CloseReason.KeepAliveTimeout] = (_, peer) => SpinWait.SpinUntil(() => peer.Session.IsClosed, Limit),
        [CloseReason.ProtocolError] = (_, peer) => peer.Say(MuxCommand.Open, 4),
        [CloseReason.WindowExceeded] = (_, peer) =>
        {
            for (int sent = 0; sent <= MuxSession.InitialWindow; sent += MuxFrame.MaximumData)
                peer.Say(MuxCommand.Data, 3, new byte[MuxFrame.MaximumData]);
        },
        [CloseReason.PeerForgot] = (bench, peer) =>
        {
            Assert.NotNull(peer.Session.OpenStream());
            peer.Send(SessionTable<PeerSession>.AnswerUnknown(bench.Carrier.LastSent)!.Value);
        },
        [CloseReason.Replaced] = (bench, _) => bench.Greet(1, conv: 8),
        [CloseReason.PathTooNarrow] = (bench, peer) =>
        {
            _ = peer.Session.OpenStream()!.WriteAsync(new byte[5000]).AsTask();
            bench.Carrier.Largest = 500;
            peer.Session.FollowLink();
        },
        [CloseReason.Unproven] = (bench, _) =>
        {
            bench.MaxSessions = 1;
            bench.Greet(2);
        },
        [CloseReason.Defect] = (bench, peer) =>
        {
            bench.Carrier.IsBroken = true;
            Assert.NotNull(peer.Session.OpenStream());
        },
    };

    public static TheoryData<CloseReason> Reasons =>
        [.. Enum.GetValues<CloseReason>().Except([CloseReason.None, CloseReason.Goodbye])];

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Reasons))]
    public Task EachReasonIsCountedAsItself(CloseReason reason) => Task.Run(() =>
    {
        MuxOptions mux = reason == CloseReason.KeepAliveTimeout ? new MuxOptions { KeepAlive = 20, KeepAliveTimeout = 20 } : new MuxOptions();
        using var bench = new ServerBench(mux);
        Assert.Equal(0, bench.Metrics().Sum("tunnel_sessions_closed_total"));
        BenchPeer peer = bench.Greet(1);
        PeerSession session = peer.Session;
        Causes[reason](bench, peer);
        SpinWait.SpinUntil(() => bench.Metrics().Sum("tunnel_sessions_closed_total") != 0, Limit);
        // Once, however often it is said.
        session.Close(CloseReason.Local);
        AssertClosed(bench.Metrics(), reason);
        Assert.Equal(reason, session.CloseReason);
    });

    /// <summary>What one end says, the other counts as said.</summary>
    [Fact(Timeout = Limit)]
    public async Task AnEndThatStopsIsLocalHereAndAGoodbyeThere()
    {
        await using MeasuredPair pair = await MeasuredPair.StartAsync();
        await pair.ExchangeAsync(1000);
        await pair.Tunnel.StopClientAsync();
        while (pair.Server().Sum("tunnel_sessions") != 0)
            await Task.Delay(10, TestContext.Current.CancellationToken);
        AssertClosed(pair.Server(), CloseReason.Goodbye);
        AssertClosed(pair.Client(), CloseReason.Local);
    }

    private static void AssertClosed(PrometheusParser metrics, CloseReason reason)
    {
        Assert.Equal(1, metrics.Sum("tunnel_sessions_closed_total", $"reason=\"{Label.Of("reason", reason).Value}\""));
        Assert.Equal(1, metrics.Sum("tunnel_sessions_closed_total"));
    }
}
