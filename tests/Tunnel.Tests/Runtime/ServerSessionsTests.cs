using System.Net;
using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Links.Memory;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;

namespace Tunnel.Tests.Runtime;

/// <summary>Several receivers of one server: whichever a datagram comes to, there is one session for its address.</summary>
public sealed class ServerSessionsTests : IDisposable
{
    private readonly DeadlineLoop _deadlines = new();
    private readonly MemoryLink _outlet = MemoryLink.CreatePair(new MemoryWireOptions(), 1).Left;
    private readonly List<PeerSession> _opened = [];

    /// <summary>The kernel may turn a flow over to another receiver in the middle, when a socket leaves the group.</summary>
    [Fact]
    public void AFlowMayMoveBetweenReceivers()
    {
        ServerSessions sessions = Sessions(cap: 10);
        using ServerReceiver first = Receiver(sessions), second = Receiver(sessions);
        var client = new Client(1, conv: 7);
        for (int i = 0; i < 10; i++)
            client.Say(i % 2 == 0 ? first : second);
        PeerSession session = Assert.Single(sessions.GetAll());
        Assert.Equal([session], _opened);
        Assert.Equal(10, session.GetStatus().Kcp.SegmentsReceived);
        Assert.All(Enum.GetValues<DropReason>(), reason => Assert.Equal(0, first.GetDrops(reason) + second.GetDrops(reason)));
    }

    [Fact]
    public void AClientThatBeginsAnewAtTheOtherReceiverTakesItsOldSessionsPlace()
    {
        ServerSessions sessions = Sessions(cap: 10);
        using ServerReceiver first = Receiver(sessions), second = Receiver(sessions);
        new Client(1, conv: 7).Say(first);
        new Client(1, conv: 8).Say(second);
        Assert.Equal(8u, Assert.Single(sessions.GetAll()).Conv);
        Assert.Equal(CloseReason.Replaced, _opened[0].CloseReason);
    }

    /// <summary>Only a conversation's very first segment takes another one's place; to a stranger any of its first flight opens the door.</summary>
    [Fact]
    public void AStragglerTakesNobodysPlace()
    {
        ServerSessions sessions = Sessions(cap: 10), elsewhere = Sessions(cap: 10);
        using ServerReceiver receiver = Receiver(sessions), other = Receiver(elsewhere);
        new Client(1, conv: 7).Say(receiver);
        var earlier = new Client(1, conv: 8);
        earlier.Say(other);
        earlier.Say(receiver);
        Assert.Equal(7u, Assert.Single(sessions.GetAll()).Conv);
        Assert.Equal(1, receiver.GetDrops(DropReason.Conversation));
    }

    [Fact]
    public async Task WhileItDrainsNobodyBeginsAnew()
    {
        ServerSessions sessions = Sessions(cap: 10);
        using ServerReceiver receiver = Receiver(sessions);
        new Client(1, conv: 7).Say(receiver);
        await sessions.DrainAsync();
        new Client(1, conv: 8).Say(receiver);
        new Client(2, conv: 7).Say(receiver);
        Assert.Equal(7u, Assert.Single(sessions.GetAll()).Conv);
        Assert.Equal(2, receiver.GetDrops(DropReason.Draining));
    }

    [Fact]
    public void TheCapIsOneForAll()
    {
        ServerSessions sessions = Sessions(cap: 2);
        using ServerReceiver first = Receiver(sessions), second = Receiver(sessions);
        new Client(1, conv: 7).Say(first);
        new Client(2, conv: 7).Say(second);
        new Client(3, conv: 7).Say(first);
        // Nobody has proven himself: the oldest gives its place, whoever received it.
        Assert.Equal(_opened[1..], sessions.GetAll().OrderBy(s => _opened.IndexOf(s)));
        Assert.Equal(CloseReason.Unproven, _opened[0].CloseReason);
    }

    [Fact]
    public async Task ReceiversThatHearOfOneClientAtOnceMakeOneSession()
    {
        const int clients = 500;
        ServerSessions sessions = Sessions(clients);
        ServerReceiver[] receivers = [Receiver(sessions), Receiver(sessions), Receiver(sessions)];
        using var together = new Barrier(receivers.Length);
        await Task.WhenAll(receivers.Select(receiver => Task.Run(() =>
        {
            for (int i = 0; i < clients; i++)
            {
                var client = new Client(i, conv: 7);
                together.SignalAndWait();
                client.Say(receiver);
            }
        })));
        Assert.Equal(clients, sessions.Count);
        Assert.Equal(clients, _opened.Count);
        // Each has had the segment from every side, and taken it once.
        Assert.All(sessions.GetAll(), s => Assert.Equal((3L, 2L), (s.GetStatus().Kcp.SegmentsReceived, s.GetStatus().Kcp.Duplicates)));
        Assert.All(receivers, r => r.Dispose());
    }

    /// <summary>A crowd of strangers at a small cap, from all sides: never more sessions than there may be, and no end to it that hangs.</summary>
    [Fact]
    public async Task TheCapHoldsWhileAllReceiversAdmit()
    {
        const int cap = 20;
        ServerSessions sessions = Sessions(cap);
        ServerReceiver[] receivers = [Receiver(sessions), Receiver(sessions), Receiver(sessions)];
        int most = 0;
        await Task.WhenAll(receivers.Select((receiver, side) => Task.Run(() =>
        {
            for (int i = 0; i < 300; i++)
            {
                new Client((1000 * side) + i, conv: 7).Say(receiver);
                InterlockedMax(ref most, sessions.Count);
            }
        })));
        Assert.Equal(cap, most);
        Assert.Equal(cap, sessions.Count);
        Assert.Equal(cap, _opened.Count(s => !s.IsClosed));
        Assert.All(receivers, r => r.Dispose());
    }

    public void Dispose()
    {
        _deadlines.Dispose();
        _outlet.Dispose();
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (int seen = Volatile.Read(ref most); seen < value;)
            seen = Interlocked.CompareExchange(ref most, value, seen) is int now && now == seen ? value : now;
    }

    private ServerSessions Sessions(int cap)
    {
        var sessions = new ServerSessions(Factory(), new DatagramCarrier(), _outlet, _deadlines, () => cap);
        // Sessions are made one at a time.
        sessions.SessionOpened += _opened.Add;
        return sessions;
    }

    private static ServerReceiver Receiver(ServerSessions sessions) =>
        new(new ReplaceableLink(MemoryLink.CreatePair(new MemoryWireOptions(), 1).Left), sessions);

    private static SessionFactory Factory() =>
        new("aes-128-gcm", new byte[32], new KcpOptions(), new MuxOptions(), mtu: 1350, guard: null, admission: null);

    /// <summary>A client whose datagrams the test carries by hand.</summary>
    private sealed class Client
    {
        private readonly Session _session;
        private readonly MuxStream _stream;
        private readonly byte[] _address;
        private readonly byte[] _buffer = new byte[2000];

        public Client(int host, uint conv)
        {
            _address = new IPEndPoint(new IPAddress([198, 51, (byte)(host >> 8), (byte)host]), 1000).Serialize().Buffer.ToArray();
            _session = Factory().CreateSession(conv, isClient: true, MonotonicClock.Now);
            _stream = _session.Mux.Open()!;
        }

        /// <summary>A byte more, in a datagram of its own.</summary>
        public void Say(ServerReceiver receiver)
        {
            Assert.True(_session.Mux.TryWrite(_stream, new byte[] { 1 }));
            TransmitRun run = _session.Transmit(_buffer, headroom: 0, MonotonicClock.Now);
            receiver.OnFrame(_buffer.AsSpan()[run[0]], _address, 0);
            receiver.OnBatchEnd();
        }
    }
}
