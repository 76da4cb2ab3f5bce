using System.Net;
using System.Net.Sockets;
using Tunnel.Links;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>
/// Datagrams dressed as TCP segments on Ethernet frames, one datagram a segment, in the form that paqet crafts, or, in flows that a
/// handshake opened, as TCP itself would send them.
/// </summary>
/// <param name="dscp">What packets are marked with.</param>
/// <param name="flags">The TCP flags that segments wear in turn.</param>
/// <param name="role">Whether flows begin with a handshake, and who begins it.</param>
/// <param name="own">
/// The address of either family, or of both, that is answered for; of a family without one any address is. Captures see what is for others
/// as well: for hosts that this one routes or bridges to, or that share a promiscuous interface.
/// </param>
public sealed class TcpCarrier(int dscp, ushort[] flags, HandshakeRole role = HandshakeRole.None, params IReadOnlyList<IPAddress> own) : Carrier
{
    /// <summary>SYN and FIN segments answered a second: enough for every client of a restarted server, too few to be worth provoking.</summary>
    private const int AnswersPerSecond = 1000;

    private readonly Endpoint? _ownIPv4 = OfFamily(own, AddressFamily.InterNetwork);
    private readonly Endpoint? _ownIPv6 = OfFamily(own, AddressFamily.InterNetworkV6);
    private readonly SynCookies _cookies = new();
    private readonly AnswerLimit _answers = new(AnswersPerSecond);
    private readonly CraftCounter _counter = new((uint)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());

    private ushort[] Flags => flags;

    public override bool TryUnwrap(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, out Arrival arrival)
    {
        arrival = default;
        if (TcpSegment.TryParse(frame, out TcpSegment segment) != WireDrop.None || segment.Payload.IsEmpty || !IsOwn(segment.Destination))
            return false;
        arrival = new Arrival
        {
            Peer = segment.Source,
            Payload = segment.Payload,
            NextSequence = segment.Sequence + (uint)segment.Payload.Length,
            Acknowledgment = segment.Acknowledgment,
            Timestamp = segment.HasTimestamps ? segment.TimestampValue : 0,
            Answer = new FlowAddresses(MacAddress.FromBytes(frame), segment.SourceMac, segment.Destination, segment.Source),
        };
        return true;
    }

    public override int PacketHeaders(bool ipv6) =>
        CraftedFlow.PacketHeaders(ipv6, Array.Exists(flags, f => (f & TcpFlags.Syn) != 0));

    public override PeerPath Answer(IPacketLink link, in Arrival arrival)
    {
        bool handshaken = role == HandshakeRole.Server && _cookies.Accepts(arrival.Answer, arrival.Acknowledgment, MonotonicClock.Now);
        return handshaken ? Continue(link, arrival) : Open(link, arrival.Answer, fixedRouter: false);
    }

    /// <summary>
    /// Nobody here knows whether a handshake came before: going on where the peer stands is right if it did, and nothing that other
    /// peers look at.
    /// </summary>
    public override PeerPath AnswerOnce(IPacketLink link, in Arrival arrival) =>
        role == HandshakeRole.Server ? Continue(link, arrival) : base.AnswerOnce(link, arrival);

    public override bool TryControl(IPacketLink link, ReadOnlySpan<byte> frame, Instant now)
    {
        if (role == HandshakeRole.None || TcpSegment.TryParse(frame, out TcpSegment segment) != WireDrop.None || !segment.Payload.IsEmpty)
            return false;
        if (!IsOwn(segment.Destination))
            return false;
        bool asks = role == HandshakeRole.Server && (segment.Flags & (TcpFlags.Syn | TcpFlags.Ack | TcpFlags.Rst)) == TcpFlags.Syn;
        bool leaves = (segment.Flags & (TcpFlags.Fin | TcpFlags.Ack | TcpFlags.Rst)) == (TcpFlags.Fin | TcpFlags.Ack);
        if ((asks || leaves) && _answers.TryTake(now))
            AnswerControl(link, frame, segment, asks, now);
        return true;
    }

    /// <param name="link">An Ethernet link.</param>
    /// <param name="addresses">Who sends to whom, by which next hop.</param>
    /// <param name="fixedRouter">True: the next hop was found or configured; false: it is where the peer's frames come from.</param>
    public PeerPath Open(IPacketLink link, FlowAddresses addresses, bool fixedRouter) => new Path(this, link, addresses, fixedRouter);

    /// <param name="link">An Ethernet link.</param>
    /// <param name="addresses">Who sends to whom, by which next hop.</param>
    /// <param name="opened">What the handshake has agreed on.</param>
    /// <param name="fixedRouter">As in the other overload.</param>
    public PeerPath Open(IPacketLink link, FlowAddresses addresses, HandshakenFlow opened, bool fixedRouter) =>
        new Path(this, link, addresses, fixedRouter, opened);

    private bool IsOwn(in Endpoint destination)
    {
        Endpoint? answered = destination.IsIPv4 ? _ownIPv4 : _ownIPv6;
        return answered is not { } address || destination == address.WithPort(destination.Port);
    }

    private static Endpoint? OfFamily(IReadOnlyList<IPAddress> own, AddressFamily family) =>
        own.FirstOrDefault(a => a.AddressFamily == family) is { } address ? Endpoint.FromIPEndPoint(new IPEndPoint(address, 0)) : null;

    private Path Continue(IPacketLink link, in Arrival arrival)
    {
        var opened = new HandshakenFlow(arrival.Acknowledgment, arrival.NextSequence, arrival.Timestamp);
        return new Path(this, link, arrival.Answer, fixedRouter: false, opened);
    }

    private void AnswerControl(IPacketLink link, ReadOnlySpan<byte> frame, in TcpSegment segment, bool asks, Instant now)
    {
        var answer = new FlowAddresses(MacAddress.FromBytes(frame), segment.SourceMac, segment.Destination, segment.Source);
        var control = new ControlSegment(
            asks ? (ushort)(TcpFlags.Syn | TcpFlags.Ack) : TcpFlags.Ack,
            asks ? _cookies.Make(answer, now) : segment.Acknowledgment,
            segment.Sequence + 1,
            (uint)now.Milliseconds,
            segment.TimestampValue);
        SendControl(link, answer, control);
    }

    private void SendControl(IPacketLink link, in FlowAddresses addresses, in ControlSegment control)
    {
        Span<byte> frame = stackalloc byte[ControlSegment.MaxLength];
        int length = control.Write(frame, addresses, dscp);
        link.Send(frame[..length], length, default);
    }

    private CraftedFlow CreateFlow(FlowAddresses addresses) => new(addresses, dscp, _counter);

    private ContiguousFlow CreateContiguousFlow(FlowAddresses addresses, uint firstSequence) => new(addresses, dscp, firstSequence);

    private sealed class Path : PeerPath
    {
        private readonly TcpCarrier _carrier;
        private readonly bool _fixedRouter;
        private readonly bool _handshaken;
        private CraftedFlow _flow;
        private FlagCycle _flags;
        private ContiguousFlow? _contiguous;
        private bool _merges;
        private bool _peerTakesMerged;
        private bool _evenHeaders;
        private int _headroom;
        private uint _peerNext;
        private uint _peerTimestamp;
        private uint _timestamp;

        public Path(TcpCarrier carrier, IPacketLink link, FlowAddresses addresses, bool fixedRouter, HandshakenFlow? opened = null)
            : base(link)
        {
            _carrier = carrier;
            _fixedRouter = fixedRouter;
            _flow = carrier.CreateFlow(addresses);
            _flags = new FlagCycle(carrier.Flags);
            Measure();
            if (opened is not { } flow)
                return;
            _handshaken = true;
            (_peerNext, _peerTimestamp) = (flow.PeerNext, flow.PeerTimestamp);
            _contiguous = carrier.CreateContiguousFlow(addresses, flow.Sequence);
        }

        public override int FrontRoom => _merges ? _contiguous!.HeaderLength : 0;

        public override int Headroom => _merges ? 0 : _contiguous?.HeaderLength ?? _headroom;

        public override int MaxTogether => _merges ? int.MaxValue : 1;

        // A link that has just stopped taking merged frames refuses the run that is made ready for it now, and ends the merging with it.
        public override int MaximumRun => _merges && Link.MaxMergedLength is > 0 and int longest ? longest : int.MaxValue;

        public override int LargestPayload()
        {
            int mtu = Link.MtuTowards(default);
            return mtu == 0 ? 0 : mtu - (_headroom - EthernetView.HeaderLength);
        }

        public override void Send(Span<byte> buffer, int stride)
        {
            if (_contiguous is null)
                SendEach(buffer, stride);
            else if (_merges)
                SendMerged(_contiguous, buffer, stride);
            else
                SendContiguous(_contiguous, buffer, stride);
        }

        // Without merged frames on either side this is one look at a flag.
        public override void Prepare()
        {
            if (_peerTakesMerged && !_merges)
                Merge();
        }

        public override void Merge()
        {
            _peerTakesMerged = true;
            if (_merges || !TakesMerged)
                return;
            _contiguous ??= _carrier.CreateContiguousFlow(_flow.Addresses, (uint)Random.Shared.Next());
            _merges = true;
        }

        public override void Follow(in Arrival arrival)
        {
            // Between handshake and FIN the peer's numbers only grow; an older segment that was overtaken must not take the
            // acknowledgement back. In other flows they may begin anew at any time.
            if (!_handshaken || (int)(arrival.NextSequence - _peerNext) > 0)
                _peerNext = arrival.NextSequence;
            _peerTimestamp = arrival.Timestamp;
            if (!_fixedRouter)
                Redirect(arrival.Answer);
        }

        public override bool Redirect(in FlowAddresses addresses)
        {
            if (addresses == _flow.Addresses)
                return false;
            _flow = _carrier.CreateFlow(addresses);
            if (_contiguous is not null)
                _contiguous = _carrier.CreateContiguousFlow(addresses, _contiguous.Sequence);
            return true;
        }

        public override void Close()
        {
            if (!_handshaken)
                return;
            var control = new ControlSegment(
                TcpFlags.Fin | TcpFlags.Ack, _contiguous!.Sequence, _peerNext, (uint)MonotonicClock.Now.Milliseconds, _peerTimestamp);
            _carrier.SendControl(Link, _contiguous.Addresses, control);
        }

        public override void WearFlags(ReadOnlySpan<ushort> flags)
        {
            _flags = new FlagCycle(flags);
            Measure();
        }

        private void SendMerged(ContiguousFlow flow, Span<byte> buffer, int stride)
        {
            uint timestamp = NextTimestamp(atLeast: _timestamp);
            if (buffer.Length - flow.HeaderLength <= stride)
            {
                flow.Write(buffer, _peerNext, timestamp, _peerTimestamp);
                Link.Send(buffer, buffer.Length, default);
                return;
            }

            flow.WriteMerged(buffer, _peerNext, timestamp, _peerTimestamp);
            if (Link.SendMerged(buffer, flow.HeaderLength, stride) || TakesMerged)
                return;
            // A device that turns out not to cut frames is not asked again, but another link may be; what it did not take is loss.
            _merges = false;
            _contiguous = _handshaken ? _contiguous : null;
        }

        /// <summary>One by one, each with a timestamp of its own: a peer that cannot split merged frames must not get any.</summary>
        private void SendContiguous(ContiguousFlow flow, Span<byte> buffer, int stride)
        {
            for (int start = 0; start < buffer.Length; start += stride)
                flow.Write(buffer[start..Math.Min(start + stride, buffer.Length)], _peerNext, NextTimestamp(atLeast: _timestamp + 1), _peerTimestamp);
            Link.Send(buffer, stride, default);
        }

        private uint NextTimestamp(uint atLeast)
        {
            uint now = (uint)MonotonicClock.Now.Milliseconds;
            return _timestamp = (int)(now - atLeast) > 0 ? now : atLeast;
        }

        private void SendEach(Span<byte> buffer, int stride)
        {
            for (int start = 0; start < buffer.Length; start += stride)
            {
                Span<byte> frame = buffer[start..Math.Min(start + stride, buffer.Length)];
                ushort flags = _flags.Next();
                frame = frame[(_headroom - _flow.HeaderLength(flags))..];
                _flow.Write(frame, flags);
                if (!_evenHeaders)
                    Link.Send(frame, frame.Length, default);
            }

            if (_evenHeaders)
                Link.Send(buffer, stride, default);
        }

        /// <summary>SYN segments have longer options: a list that mixes them cannot go out as one run of equal frames.</summary>
        private void Measure()
        {
            int longest = 0, shortest = int.MaxValue;
            foreach (ushort flags in _flags.Flags)
            {
                longest = Math.Max(longest, _flow.HeaderLength(flags));
                shortest = Math.Min(shortest, _flow.HeaderLength(flags));
            }

            _headroom = longest;
            _evenHeaders = longest == shortest;
        }
    }
}
