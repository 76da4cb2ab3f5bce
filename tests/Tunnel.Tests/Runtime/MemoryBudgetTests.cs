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

namespace Tunnel.Tests.Runtime;

/// <summary>A server takes no new session when those that it has hold too much.</summary>
public sealed class MemoryBudgetTests : IDisposable
{
    private static readonly IPEndPoint First = IPEndPoint.Parse("192.0.2.1:1000");
    private static readonly IPEndPoint Second = IPEndPoint.Parse("192.0.2.2:1000");

    private readonly MemoryLink _link = MemoryLink.CreatePair(new MemoryWireOptions(), 1).Left;
    private readonly DeadlineLoop _deadlines = new();
    private readonly List<Endpoint> _refused = [];

    [Fact]
    public void ASessionIsRefusedWhileOthersHoldTheCeiling()
    {
        MemoryBudget budget = new(1);
        using ServerReceiver server = Server(budget);
        Greet(server, First);
        Assert.Equal(1, server.SessionCount);
        Assert.Equal(Assert.Single(server.GetSessions()).GetStatus().Memory, budget.Used);
        Assert.False(budget.HasRoom);

        Greet(server, Second);
        Assert.Equal((1, 1L), (server.SessionCount, server.GetDrops(DropReason.Memory)));
        Assert.Equal([Endpoint.FromIPEndPoint(Second)], _refused);

        server.GetSessions()[0].Close(CloseReason.Local);
        Assert.Equal(0, budget.Used);
        Greet(server, Second);
        Assert.Equal((1, 1L), (server.SessionCount, server.GetDrops(DropReason.Memory)));
    }

    [Fact]
    public void WithRoomEverybodyIsTaken()
    {
        using ServerReceiver server = Server(MemoryBudget.Unlimited);
        Greet(server, First);
        Greet(server, Second);
        Assert.Equal((2, 0L), (server.SessionCount, server.GetDrops(DropReason.Memory)));
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
    public void UnaskedItIsAPartOfTheMachine() => Assert.InRange(MemoryBudget.Of(null).Limit, 1, long.MaxValue / 2);

    public void Dispose()
    {
        _deadlines.Dispose();
        _link.Dispose();
    }

    private ServerReceiver Server(MemoryBudget budget)
    {
        var server = new ServerReceiver(new ReplaceableLink(_link), new DatagramCarrier(), Factory(budget), _deadlines, maxSessions: 10);
        server.OutOfMemory += _refused.Add;
        return server;
    }

    /// <summary>The first datagram of a client at an address.</summary>
    private static void Greet(ServerReceiver server, IPEndPoint from)
    {
        Session client = Factory(MemoryBudget.Unlimited).CreateSession(conv: 7, isClient: true, MonotonicClock.Now);
        MuxStream stream = client.Mux.Open()!;
        client.Mux.TryWrite(stream, new byte[] { 1 });
        byte[] buffer = new byte[2000];
        TransmitRun run = client.Transmit(buffer, headroom: 0, MonotonicClock.Now);
        server.OnFrame(buffer.AsSpan()[run[0]], from.Serialize().Buffer.Span, 0);
        server.OnBatchEnd();
    }

    private static SessionFactory Factory(MemoryBudget budget) =>
        new("aes-128-gcm", new byte[32], new KcpOptions(), new MuxOptions(), mtu: 1350, guard: null, admission: null) { Budget = budget };
}
