using System.Net;
using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Links.Memory;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Runtime;

/// <summary>What a session tells its path, and what it asks it.</summary>
public sealed class PeerPathTests : IDisposable
{
    private static readonly Endpoint Peer = Endpoint.FromIPEndPoint(IPEndPoint.Parse("192.0.2.1:1000"));

    private readonly DeadlineLoop _deadlines = new();
    private readonly MemoryLink _link = MemoryLink.CreatePair(new MemoryWireOptions(), 1).Left;
    private readonly ScriptedPath _path;
    private readonly PeerSession _session;

    public PeerPathTests()
    {
        _path = new ScriptedPath(_link);
        _session = new PeerSession(Make(isClient: false), _path, Peer, guard: null, _deadlines, new Owner()) { ProbesPath = true };
    }

    public void Dispose()
    {
        _session.Close(CloseReason.Local);
        _deadlines.Dispose();
        _link.Dispose();
    }

    /// <summary>Anybody can send frames in the peer's name, from anywhere.</summary>
    [Fact]
    public void OnlyWhatIsAuthenticIsFollowed()
    {
        byte[] buffer = new byte[2000];
        Session client = Make(isClient: true);
        client.Mux.Open();
        TransmitRun run = client.Transmit(buffer, headroom: 0, MonotonicClock.Now);
        byte[] forged = buffer[run[0]];
        forged[^1]++;
        Assert.Equal((DropReason.Cipher, 0), (Receive(forged), _path.Followed));
        Assert.Equal((DropReason.None, 1), (Receive(buffer.AsSpan(run[0])), _path.Followed));
    }

    [Fact]
    public void DatagramsAreNoLongerThanThePathTakesNow()
    {
        int before = _session.GetStatus().Mtu;
        _path.Largest = 1000;
        _session.FollowLink();
        Assert.Equal(1000, _session.GetStatus().Mtu);
        // A link that is away just now says nothing.
        _path.Largest = 0;
        _session.FollowLink();
        Assert.Equal(1000, _session.GetStatus().Mtu);
        _path.Largest = 9000;
        _session.FollowLink();
        Assert.Equal(before, _session.GetStatus().Mtu);
    }

    [Fact]
    public void AnotherWayIsMeasuredAnew()
    {
        _session.Announced(Capabilities.PathMtu);
        _session.LookAfter();
        long before = _session.GetStatus().Kcp.PathProbes;
        Assert.InRange(before, 1, long.MaxValue);
        _session.Redirect(default);
        Assert.InRange(_session.GetStatus().Kcp.PathProbes, before + 1, long.MaxValue);
    }

    private static Session Make(bool isClient) =>
        new SessionFactory("aes-128-gcm", new byte[32], new KcpOptions(), new MuxOptions(), mtu: 1350, guard: null, admission: null)
            .CreateSession(conv: 7, isClient, MonotonicClock.Now);

    private DropReason Receive(ReadOnlySpan<byte> datagram)
    {
        var arrival = new Arrival { Peer = Peer, Payload = datagram };
        _session.Enter();
        DropReason drop = _session.Receive(datagram, arrival, MonotonicClock.Now);
        _session.LeaveReceived();
        return drop;
    }

    private sealed class ScriptedPath(IPacketLink link) : PeerPath(link)
    {
        public int Followed { get; private set; }

        public int Largest { get; set; } = 1500;

        public override int Headroom => 0;

        public override int MaxTogether => 1;

        public override int LargestPayload() => Largest;

        public override void Send(Span<byte> buffer, int stride)
        {
            // Nobody listens.
        }

        public override void Follow(in Arrival arrival) => Followed++;

        public override bool Redirect(in FlowAddresses addresses) => true;

        public override void WearFlags(ReadOnlySpan<ushort> flags)
        {
            // It has none.
        }
    }

    private sealed class Owner : ISessionOwner
    {
        public void OnStreamOpened(TunnelStream stream) => stream.Close();

        public void OnSessionClosed(PeerSession session)
        {
            // The test holds the only one.
        }
    }
}
