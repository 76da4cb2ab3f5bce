using System.Net;
using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Links.Memory;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;
using Tunnel.Tests.Config;
using Tunnel.Tests.Links;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Runtime;

/// <summary>A server takes no new session when those that it has hold too much.</summary>
public sealed class MemoryBudgetTests : IDisposable
{
    private static readonly IPEndPoint First = IPEndPoint.Parse("192.0.2.1:1000");
    private static readonly IPEndPoint Second = IPEndPoint.Parse("192.0.2.2:1000");
    private static readonly IPEndPoint Third = IPEndPoint.Parse("192.0.2.3:1000");

    private readonly MemoryLink _link;
    private readonly MemoryLink _clients;
    private readonly DeadlineLoop _deadlines = new();
    private readonly List<Endpoint> _refused = [];
    private readonly LogLines _lines = new();

    public MemoryBudgetTests() => (_link, _clients) = MemoryLink.CreatePair(new MemoryWireOptions(), 1);

    [Fact]
    public void ASessionIsRefusedWhileOthersHoldTheCeiling()
    {
        MemoryBudget budget = new(1);
        using ServerReceiver server = Server(out ServerSessions sessions, budget);
        Greet(server, First);
        Assert.Equal(1, sessions.Count);
        Assert.Equal(Assert.Single(sessions.GetAll()).GetStatus().Memory, budget.Used);
        Assert.False(budget.HasRoom);

        Greet(server, Second);
        Assert.Equal((1, 1L), (sessions.Count, server.GetDrops(DropReason.Memory)));
        Assert.Equal([Endpoint.FromIPEndPoint(Second)], _refused);

        sessions.GetAll()[0].Close(CloseReason.Local);
        Assert.Equal(0, budget.Used);
        Greet(server, Second);
        Assert.Equal((1, 1L), (sessions.Count, server.GetDrops(DropReason.Memory)));
    }

    /// <summary>Whoever never acknowledged anything may be nobody at all.</summary>
    [Fact]
    public void AtTheCapTheOldestThatNeverAnsweredGivesItsPlace()
    {
        var limits = new LimitMeter(_lines);
        using ServerReceiver server = Server(out ServerSessions sessions, MemoryBudget.Unlimited, cap: 2, limits);
        Greet(server, First);
        Greet(server, Second);
        Greet(server, Third);
        Assert.Equal([Endpoint.FromIPEndPoint(Second), Endpoint.FromIPEndPoint(Third)], sessions.GetAll().Select(s => s.Peer).OrderBy(p => p.ToString()));
        Assert.Equal(1, limits.GetStrikes(LimitKind.MaxSessions));
        Assert.Contains("transport.kcp.max_sessions is reached", Assert.Single(_lines.All));
    }

    [Fact]
    public void WhoAnsweredStays()
    {
        var limits = new LimitMeter(_lines);
        using ServerReceiver server = Server(out ServerSessions sessions, MemoryBudget.Unlimited, cap: 1, limits);
        Session client = Greet(server, First);
        PeerSession session = Assert.Single(sessions.GetAll());
        Assert.NotNull(session.OpenStream());
        Answer(client, server, First);
        Assert.True(session.IsProven);

        Greet(server, Second);
        Assert.Equal([session], sessions.GetAll());
        Assert.Equal((1L, 1L), (server.GetDrops(DropReason.SessionLimit), limits.GetStrikes(LimitKind.MaxSessions)));
    }

    [Fact]
    public void WithRoomEverybodyIsTaken()
    {
        using ServerReceiver server = Server(out ServerSessions sessions, MemoryBudget.Unlimited);
        Greet(server, First);
        Greet(server, Second);
        Assert.Equal((2, 0L), (sessions.Count, server.GetDrops(DropReason.Memory)));
    }

    [Theory]
    [InlineData("'auto'", null)]
    [InlineData("'1MiB'", 1L << 20)]
    [InlineData("'64GiB'", 64L << 30)]
    [InlineData("8589934592", 8L << 30)]
    public void Settings(string value, long? bytes) =>
        Assert.Equal(bytes, ConfigText.ValidServer(ConfigText.Server + $"[transport]\nmemory = {value}").Transport.Memory);

    [Theory]
    [InlineData("'2TiB'")]
    [InlineData("'2000GiB'")]
    [InlineData("1")]
    public void NotSettings(string value)
    {
        ConfigProblem problem = Assert.Single(ConfigText.LoadServer(ConfigText.Server + $"[transport]\nmemory = {value}").Problems);
        Assert.Equal((6, 10, "transport.memory"), (problem.Line, problem.Column, problem.Key));
    }

    [Fact]
    public void UnaskedItIsAPartOfTheMachine() => Assert.InRange(MemoryBudget.LimitOf(null), 1, long.MaxValue / 2);

    public void Dispose()
    {
        _deadlines.Dispose();
        _link.Dispose();
        _clients.Dispose();
    }

    private ServerReceiver Server(out ServerSessions sessions, MemoryBudget budget, int cap = 10, LimitMeter? limits = null)
    {
        var link = new ReplaceableLink(_link);
        sessions = new ServerSessions(Factory(budget, limits), new DatagramCarrier(), link, _deadlines, () => cap);
        sessions.OutOfMemory += _refused.Add;
        return new ServerReceiver(link, sessions);
    }

    /// <summary>The first datagram of a client at an address.</summary>
    private static Session Greet(ServerReceiver server, IPEndPoint from)
    {
        Session client = Factory(MemoryBudget.Unlimited).CreateSession(conv: 7, isClient: true, MonotonicClock.Now);
        MuxStream stream = client.Mux.Open()!;
        client.Mux.TryWrite(stream, new byte[] { 1 });
        byte[] buffer = new byte[2000];
        TransmitRun run = client.Transmit(buffer, headroom: 0, MonotonicClock.Now);
        Say(buffer[run[0]], server, from);
        return client;
    }

    /// <summary>The client acknowledges what the server sent.</summary>
    private void Answer(Session client, ServerReceiver server, IPEndPoint from)
    {
        var sent = new FrameCollector();
        sent.ReceiveAll(_clients, 2);
        Assert.All(sent.Frames, f => Assert.Equal(DropReason.None, client.Receive(f, MonotonicClock.Now)));
        byte[] buffer = new byte[2000];
        TransmitRun run = client.Transmit(buffer, headroom: 0, MonotonicClock.Now);
        Say(buffer[run[0]], server, from);
    }

    private static void Say(byte[] datagram, ServerReceiver server, IPEndPoint from)
    {
        server.OnFrame(datagram, from.Serialize().Buffer.Span, 0);
        server.OnBatchEnd();
    }

    private static SessionFactory Factory(MemoryBudget budget, LimitMeter? limits = null) =>
        new("aes-128-gcm", new byte[32], new KcpOptions(), new MuxOptions(), mtu: 1350, guard: null, admission: null) { Budget = budget, Limits = limits };
}
