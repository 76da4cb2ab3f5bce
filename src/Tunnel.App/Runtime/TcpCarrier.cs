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

    private sealed class Path : PeerPath
    {
        private readonly TcpCarrier _carrier;
        private readonly bool _fixedRouter;
        private CraftedFlow _flow;
        private FlagCycle _flags;
        private bool _evenHeaders;
        private int _headroom;

        public Path(TcpCarrier carrier, IPacketLink link, FlowAddresses addresses, bool fixedRouter)
            : base(link)
        {
            _carrier = carrier;
            _fixedRouter = fixedRouter;
            _flow = carrier.CreateFlow(addresses);
            _flags = new FlagCycle(carrier.Flags);
            Measure();
        }

        public override int Headroom => _headroom;

        public override void Send(Span<byte> buffer, int stride)
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
            if (!_fixedRouter)
                Redirect(arrival.Answer);
        }

        public override void Redirect(in FlowAddresses addresses)
        {
            if (addresses != _flow.Addresses)
                _flow = _carrier.CreateFlow(addresses);
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
