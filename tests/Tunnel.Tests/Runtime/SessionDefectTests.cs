using Tunnel.App.Runtime;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;
using Tunnel.Tests.Diagnostics;

namespace Tunnel.Tests.Runtime;

/// <summary>
/// Whatever goes wrong within a session's turn ends that session: it is told and counted, its streams end, its lock is free, and neither the thread
/// that was at it nor any other session notices.
/// </summary>
public sealed class SessionDefectTests : IDisposable
{
    private readonly ServerBench _bench = new();

    public static TheoryData<string, string> Cases =>
        [.. from what in Exceptions.Keys from place in Places.Keys select new TheoryDataRow<string, string>(what, place)];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static readonly Dictionary<string, Func<Exception>> Exceptions = new()
    {
        ["an index"] = () => new IndexOutOfRangeException(),
        ["no memory"] = () => new OutOfMemoryException(),
        ["nothing there"] = () => new NullReferenceException(),
    };

    private static readonly Dictionary<string, Action<ServerBench, BenchPeer, Exception>> Places = new()
    {
        ["while it sends"] = (bench, peer, e) =>
        {
            bench.Carrier.OnSend = e;
            peer.Session.OpenStream();
        },
        ["while it receives"] = (bench, peer, e) =>
        {
            bench.Carrier.OnFollow = e;
            peer.Say(MuxCommand.Open, 5);
        },
        ["at its deadline"] = (bench, peer, e) =>
        {
            bench.Carrier.OnSend = e;
            peer.Session.Nudge();
            peer.Session.OnDeadline();
        },
        ["while its path is closed"] = (bench, peer, e) =>
        {
            bench.Carrier.OnClose = e;
            peer.Session.Close(CloseReason.Local);
        },
    };

    public void Dispose() => _bench.Dispose();

    [Theory(Timeout = 60_000)]
    [MemberData(nameof(Cases))]
    public async Task ItEndsTheSessionAndNothingElse(string what, string place)
    {
        BenchPeer peer = _bench.Greet(1), other = _bench.Greet(2);
        PeerSession session = peer.Session;
        TunnelStream stream = session.OpenStream()!;
        Task reading = stream.ReadAsync(new byte[1]).AsTask();
        Exception defect = Exceptions[what]();
        Places[place](_bench, peer, defect);
        (_bench.Carrier.OnSend, _bench.Carrier.OnFollow, _bench.Carrier.OnClose) = (null, null, null);

        Assert.True(session.IsClosed);
        Assert.Same(defect, session.Defect);
        await Assert.ThrowsAsync<TunnelClosedException>(() => reading);
        // Another thread comes in.
        await Task.Run(session.GetStatus, Cancel);
        Assert.Equal([other.Session], _bench.Sessions.GetAll());
        Assert.Equal(1, _bench.Metrics().Sum("tunnel_sessions_closed_total"));
        other.Say(MuxCommand.Open, 5);
        Assert.Equal(2, other.Session.StreamCount);
    }

    /// <summary>Before anybody knows whose it is, it costs the frame.</summary>
    [Fact]
    public void AFrameThatCannotBeTakenApartCostsItself()
    {
        BenchPeer peer = _bench.Greet(1);
        _bench.Carrier.OnUnwrap = new IndexOutOfRangeException();
        peer.Say(MuxCommand.Open, 5);
        _bench.Carrier.OnUnwrap = null;
        Assert.Equal(1, _bench.Receiver.GetDrops(DropReason.Defect));
        Assert.True(_bench.Lines.Has("a defect dropped a frame"));
        peer.Say(MuxCommand.Open, 7);
        // It came out of order, and is not lost: the peer would send the first again.
        Assert.Equal((false, 2), (peer.Session.IsClosed, peer.Session.GetStatus().Kcp.SegmentsReceived));
    }
}
