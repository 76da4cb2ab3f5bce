using System.Net;
using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Wire;
using Tunnel.Tests.Links;
using Tunnel.Tests.Wire;

namespace Tunnel.Tests.Runtime;

/// <summary>A client's handshake with a server's carrier, over cables that only this test holds.</summary>
public sealed class TcpHandshakeTests : IDisposable
{
    private const ushort SynAck = TcpFlags.Syn | TcpFlags.Ack;

    private static readonly FlowAddresses ClientSide = Samples.IPv4;

    private readonly EthernetCable _client = new();
    private readonly EthernetCable _server = new();
    private readonly TcpCarrier _clientCarrier = new(0, [TcpFlags.Default], HandshakeRole.Client);
    private readonly TcpCarrier _serverCarrier = new(0, [TcpFlags.Default], HandshakeRole.Server);

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    [Fact]
    public void AFlowGoesOnFromItsHandshakeUntilItsFin()
    {
        Connect();
        HandshakenFlow flow = Open();
        Assert.Equal([TcpFlags.Syn, TcpFlags.Ack], _client.Sent.Select(f => Parse(f).Flags));
        Assert.Equal([SynAck], _server.Sent.Select(f => Parse(f).Flags));
        _client.OnSent = null;

        PeerPath toServer = _clientCarrier.Open(_client, ClientSide, flow, fixedRouter: true);
        Send(toServer, [1, 2, 3], [4, 5]);
        Assert.Equal([(flow.Sequence, flow.PeerNext), (flow.Sequence + 3, flow.PeerNext)], Numbers(_client.Sent[2..]));

        PeerPath toClient = AnswerTo(_client.Sent[2]);
        Send(toClient, [6, 7, 8, 9]);
        Assert.Equal([(flow.PeerNext, flow.Sequence + 3)], Numbers(_server.Sent[1..]));
        toClient.Close();
        Assert.Equal((TcpFlags.Fin | TcpFlags.Ack, flow.PeerNext + 4), (Parse(_server.Sent[2]).Flags, Parse(_server.Sent[2]).Sequence));

        int before = _client.Sent.Count;
        Assert.True(_clientCarrier.TryControl(_client, _server.Sent[2], MonotonicClock.Now));
        Assert.Equal((TcpFlags.Ack, flow.PeerNext + 5), (Parse(_client.Sent[before]).Flags, Parse(_client.Sent[before]).Acknowledgment));
    }

    /// <summary>GRO merges contiguous segments with equal timestamps, and not every receiver can split them.</summary>
    [Fact]
    public void SegmentsThatMayNotBeMergedHaveEachATimestampOfItsOwn()
    {
        Connect();
        PeerPath path = _clientCarrier.Open(_client, ClientSide, Open(), fixedRouter: true);
        _client.OnSent = null;
        _client.Sent.Clear();
        for (int i = 0; i < 100; i++)
            Send(path, [1], [2]);
        Assert.Equal(200, _client.Sent.Select(f => Parse(f).TimestampValue).Distinct().Count());
    }

    [Fact]
    public void AnOvertakenSegmentDoesNotTakeTheAcknowledgementBack()
    {
        Connect();
        PeerPath toServer = _clientCarrier.Open(_client, ClientSide, Open(), fixedRouter: true);
        _client.OnSent = null;
        Send(toServer, [1], [2], [3]);
        PeerPath toClient = AnswerTo(_client.Sent[^1]);
        Assert.True(_serverCarrier.TryUnwrap(_client.Sent[^2], default, out Arrival older));
        toClient.Follow(older);
        Send(toClient, [4]);
        Assert.Equal(Parse(_client.Sent[^1]).Sequence + 1, Parse(_server.Sent[^1]).Acknowledgment);
    }

    [Fact]
    public void AFlowGoesOnByAnotherWay()
    {
        Connect();
        PeerPath path = _clientCarrier.Open(_client, ClientSide, Open(), fixedRouter: true);
        _client.OnSent = null;
        Send(path, [1, 2, 3]);
        FlowAddresses other = ClientSide with { DestinationMac = MacAddress.FromBytes([2, 0, 0, 0, 0, 9]) };
        Assert.True(path.Redirect(other));
        Assert.False(path.Redirect(other));
        Send(path, [4]);
        Assert.Equal(Parse(_client.Sent[^2]).Sequence + 3, Parse(_client.Sent[^1]).Sequence);
        Assert.Equal(other.DestinationMac, MacAddress.FromBytes(_client.Sent[^1]));
    }

    /// <summary>Numbers that no handshake gave out are a stock peer's: it gets the form that it knows.</summary>
    [Fact]
    public void WithoutAHandshakeTheAnswerIsTheStockOne()
    {
        byte[] crafted = Samples.Crafted(ClientSide, 7);
        Assert.True(_serverCarrier.TryUnwrap(crafted, default, out Arrival arrival));
        PeerPath path = _serverCarrier.Answer(_server, arrival);
        Send(path, [1]);
        Assert.NotEqual(arrival.Acknowledgment, Parse(_server.Sent[0]).Sequence);
        path.Close();
        Assert.Single(_server.Sent);

        PeerPath once = _serverCarrier.AnswerOnce(_server, arrival);
        Send(once, [1]);
        Assert.Equal((arrival.Acknowledgment, arrival.NextSequence), Numbers(_server.Sent[1..])[0]);
    }

    [Fact]
    public void ACookieIsGoodForItsPeerAndAWhile()
    {
        var cookies = new SynCookies();
        var now = Instant.FromMilliseconds(1_000_000);
        uint cookie = cookies.Make(ClientSide, now);
        Assert.True(cookies.Accepts(ClientSide, cookie + 1, now));
        Assert.True(cookies.Accepts(ClientSide, cookie + 1, now.AddMilliseconds(64_000)));
        Assert.False(cookies.Accepts(ClientSide, cookie + 1, now.AddMilliseconds(200_000)));
        Assert.False(cookies.Accepts(ClientSide, cookie + 2, now));
        Assert.False(cookies.Accepts(Samples.IPv6, cookie + 1, now));
        Assert.False(new SynCookies().Accepts(ClientSide, cookie + 1, now));
    }

    [Fact]
    public void AStormOfSynsIsAnsweredUpToACap()
    {
        byte[] syn = Control(new ControlSegment(TcpFlags.Syn, 1, 0, 0, 0));
        for (int i = 0; i < 5000; i++)
            Assert.True(_serverCarrier.TryControl(_server, syn, Instant.FromMilliseconds(1)));
        Assert.Equal(1000, _server.Sent.Count);
        Assert.All(_server.Sent, f => Assert.InRange(f.Length, 1, syn.Length));
    }

    [Theory]
    [InlineData(HandshakeRole.None, TcpFlags.Syn)]
    [InlineData(HandshakeRole.Client, TcpFlags.Syn)]
    [InlineData(HandshakeRole.Server, SynAck)]
    [InlineData(HandshakeRole.Server, TcpFlags.Ack)]
    [InlineData(HandshakeRole.Server, TcpFlags.Rst | TcpFlags.Ack)]
    [InlineData(HandshakeRole.Server, TcpFlags.Syn | TcpFlags.Rst)]
    public void NothingElseIsAnswered(HandshakeRole role, ushort flags)
    {
        var carrier = new TcpCarrier(0, [TcpFlags.Default], role);
        carrier.TryControl(_server, Control(new ControlSegment(flags, 1, 2, 3, 4)), Instant.FromMilliseconds(1));
        Assert.Empty(_server.Sent);
    }

    [Fact]
    public void ALostSynIsRepeatedAndSilenceIsNamedInTheEnd()
    {
        int syns = 0;
        _client.OnSent = frame =>
        {
            if (++syns == 2)
                _serverCarrier.TryControl(_server, frame, MonotonicClock.Now);
            foreach (byte[] answer in _server.Sent)
                _client.Arriving.Enqueue(answer);
        };
        HandshakenFlow flow = Open();
        Assert.Equal(Parse(_client.Sent[0]).Sequence, Parse(_client.Sent[1]).Sequence);
        Assert.Equal(Parse(_client.Sent[0]).Sequence + 1, flow.Sequence);

        _client.OnSent = null;
        LinkException e = Assert.Throws<LinkException>(() => Open());
        Assert.Equal(LinkFault.Network, e.Fault);
        Assert.Contains("network.tcp.handshake", e.Message);
    }

    [Fact]
    public void AResetIsNamedAtOnceUnlessItIsSomebodyElses()
    {
        _client.OnSent = frame =>
        {
            uint sequence = Parse(frame).Sequence;
            _client.Arriving.Enqueue(Control(new ControlSegment(TcpFlags.Rst | TcpFlags.Ack, 0, sequence + 99, 0, 0), Turned(ClientSide)));
            _client.Arriving.Enqueue(Control(new ControlSegment(TcpFlags.Rst | TcpFlags.Ack, 0, sequence + 1, 0, 0), Turned(ClientSide)));
        };
        Assert.Contains("RST", Assert.Throws<LinkException>(() => Open()).Message);
        Assert.Single(_client.Sent);
    }

    /// <summary>Frames for other hosts come to a router, a bridge, a promiscuous interface; a SYN for another host's port is that host's to answer.</summary>
    [Fact]
    public void AnotherHostsAddressIsNotAnsweredForWhereOneIsSet()
    {
        IPAddress own = ClientSide.Destination.ToIPEndPoint().Address, other = IPAddress.Parse("203.0.113.77");
        byte[] syn = Control(new ControlSegment(TcpFlags.Syn, 1, 0, 3, 0)), datagram = Datagram();
        foreach ((IPAddress[] set, bool answers) in new (IPAddress[], bool)[]
            { ([], true), ([own], true), ([other], false), ([IPAddress.IPv6Loopback], true), ([IPAddress.IPv6Loopback, other], false) })
        {
            _server.Sent.Clear();
            var carrier = new TcpCarrier(0, [TcpFlags.Default], HandshakeRole.Server, set);
            Assert.Equal(answers, carrier.TryUnwrap(datagram, default, out _));
            Assert.Equal(answers, carrier.TryControl(_server, syn, Instant.FromMilliseconds(1)));
            Assert.Equal(answers ? 1 : 0, _server.Sent.Count);
        }
    }

    [Fact]
    public void HeadersWithSynLeaveLessRoom()
    {
        PeerPath path = new TcpCarrier(0, [TcpFlags.Default]).Open(_client, ClientSide, fixedRouter: true);
        Assert.Equal(1448, path.LargestPayload());
        path.WearFlags([TcpFlags.Default, TcpFlags.Syn]);
        Assert.Equal(1440, path.LargestPayload());
        _client.Mtu = 0;
        Assert.Equal(0, path.LargestPayload());
    }

    private byte[] Datagram()
    {
        Send(new TcpCarrier(0, [TcpFlags.Default]).Open(_client, ClientSide, fixedRouter: true), [1, 2, 3]);
        return _client.Sent[^1];
    }

    /// <summary>What each end sends arrives at the other one at once.</summary>
    private void Connect()
    {
        _client.OnSent = frame => _serverCarrier.TryControl(_server, frame, MonotonicClock.Now);
        _server.OnSent = _client.Arriving.Enqueue;
    }

    private HandshakenFlow Open() => TcpHandshake.Run(_client, ClientSide, 0, TestContext.Current.CancellationToken);

    private PeerPath AnswerTo(byte[] frame)
    {
        Assert.True(_serverCarrier.TryUnwrap(frame, default, out Arrival arrival));
        return _serverCarrier.Answer(_server, arrival);
    }

    private static void Send(PeerPath path, params byte[][] datagrams)
    {
        Assert.Equal(0, path.FrontRoom);
        foreach (byte[] datagram in datagrams)
            path.Send((byte[])[.. new byte[path.Headroom], .. datagram], path.Headroom + datagram.Length);
    }

    private static (uint Sequence, uint Acknowledgment)[] Numbers(List<byte[]> frames) =>
        [.. frames.Select(f => (Parse(f).Sequence, Parse(f).Acknowledgment))];

    private static Header Parse(byte[] frame)
    {
        Assert.Equal(WireDrop.None, TcpSegment.TryParse(frame, out TcpSegment segment));
        return new Header(segment.Flags, segment.Sequence, segment.Acknowledgment, segment.TimestampValue);
    }

    private static FlowAddresses Turned(FlowAddresses a) => new(a.DestinationMac, a.SourceMac, a.Destination, a.Source);

    private static byte[] Control(ControlSegment segment, FlowAddresses? addresses = null)
    {
        byte[] frame = new byte[ControlSegment.MaxLength];
        return frame[..segment.Write(frame, addresses ?? ClientSide, 0)];
    }

    private sealed record Header(ushort Flags, uint Sequence, uint Acknowledgment, uint TimestampValue);
}
