using Tunnel.Links;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>Datagrams dressed as TCP segments on Ethernet frames, one datagram a segment, in the form that paqet crafts.</summary>
public sealed class TcpCarrier(int dscp, ushort[] flags) : Carrier
{
    private readonly CraftCounter _counter = new((uint)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());

    private ushort[] Flags => flags;

    public override bool TryUnwrap(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, out Arrival arrival)
    {
        arrival = default;
        if (TcpSegment.TryParse(frame, out TcpSegment segment) != WireDrop.None || segment.Payload.IsEmpty)
            return false;
        arrival = new Arrival
        {
            Peer = segment.Source,
            Payload = segment.Payload,
            NextSequence = segment.Sequence + (uint)segment.Payload.Length,
            Timestamp = segment.HasTimestamps ? segment.TimestampValue : 0,
            Answer = new FlowAddresses(MacAddress.FromBytes(frame), segment.SourceMac, segment.Destination, segment.Source),
        };
        return true;
    }

    public override PeerPath Answer(IPacketLink link, in Arrival arrival) => Open(link, arrival.Answer, fixedRouter: false);

    /// <param name="link">An Ethernet link.</param>
    /// <param name="addresses">Who sends to whom, by which next hop.</param>
    /// <param name="fixedRouter">True: the next hop was found or configured; false: it is where the peer's frames come from.</param>
    public PeerPath Open(IPacketLink link, FlowAddresses addresses, bool fixedRouter) => new Path(this, link, addresses, fixedRouter);

    private CraftedFlow CreateFlow(FlowAddresses addresses) => new(addresses, dscp, _counter);

    private ContiguousFlow CreateContiguousFlow(FlowAddresses addresses, uint firstSequence) => new(addresses, dscp, firstSequence);

    private sealed class Path : PeerPath
    {
        private readonly TcpCarrier _carrier;
        private readonly bool _fixedRouter;
        private CraftedFlow _flow;
        private FlagCycle _flags;
        private ContiguousFlow? _merging;
        private bool _evenHeaders;
        private int _headroom;
        private uint _peerNext;
        private uint _peerTimestamp;

        public Path(TcpCarrier carrier, IPacketLink link, FlowAddresses addresses, bool fixedRouter)
            : base(link)
        {
            _carrier = carrier;
            _fixedRouter = fixedRouter;
            _flow = carrier.CreateFlow(addresses);
            _flags = new FlagCycle(carrier.Flags);
            Measure();
        }

        public override int FrontRoom => _merging?.HeaderLength ?? 0;

        public override int Headroom => _merging is null ? _headroom : 0;

        // A link that has just stopped taking merged frames refuses the run that is made ready for it now, and ends the merging with it.
        public override int MaximumRun => _merging is not null && Link.MaxMergedLength is > 0 and int longest ? longest : int.MaxValue;

        public override void Send(Span<byte> buffer, int stride)
        {
            if (_merging is null)
                SendEach(buffer, stride);
            else
                SendMerged(_merging, buffer, stride);
        }

        public override void Merge()
        {
            if (_merging is null && TakesMerged)
                _merging = _carrier.CreateContiguousFlow(_flow.Addresses, (uint)Random.Shared.Next());
        }

        private void SendMerged(ContiguousFlow flow, Span<byte> buffer, int stride)
        {
            uint timestamp = (uint)MonotonicClock.Now.Milliseconds;
            if (buffer.Length - flow.HeaderLength <= stride)
            {
                flow.Write(buffer, _peerNext, timestamp, _peerTimestamp);
                Link.Send(buffer, buffer.Length, default);
                return;
            }

            flow.WriteMerged(buffer, _peerNext, timestamp, _peerTimestamp);
            // A device that turns out not to cut frames is not asked again; what it did not take is loss.
            if (!Link.SendMerged(buffer, flow.HeaderLength, stride) && !TakesMerged)
                _merging = null;
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

        public override void Follow(in Arrival arrival)
        {
            _peerNext = arrival.NextSequence;
            _peerTimestamp = arrival.Timestamp;
            if (!_fixedRouter)
                Redirect(arrival.Answer);
        }

        public override void Redirect(in FlowAddresses addresses)
        {
            if (addresses == _flow.Addresses)
                return;
            _flow = _carrier.CreateFlow(addresses);
            if (_merging is not null)
                _merging = _carrier.CreateContiguousFlow(addresses, _merging.Sequence);
        }

        public override void WearFlags(ReadOnlySpan<ushort> flags)
        {
            _flags = new FlagCycle(flags);
            Measure();
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
