using Tunnel.App.Runtime;
using Tunnel.Links;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Wire;

namespace Tunnel.Tests.Diagnostics;

/// <summary>Datagrams as they are; what is sent is kept, and may be made to fail.</summary>
internal sealed class BenchCarrier : Carrier
{
    private readonly DatagramCarrier _inner = new();

    /// <summary>The datagram that was sent last.</summary>
    public byte[] LastSent { get; private set; } = [];

    /// <summary>Bytes that the link takes of a datagram.</summary>
    public int Largest { get; set; } = 1500;

    /// <summary>Sending breaks an invariant, as a defect would.</summary>
    public bool IsBroken { get; set; }

    public override bool TryUnwrap(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, out Arrival arrival) =>
        _inner.TryUnwrap(frame, address, out arrival);

    public override int PacketHeaders(bool ipv6) => _inner.PacketHeaders(ipv6);

    public override PeerPath Answer(IPacketLink link, in Arrival arrival) => new Path(this, link);

    private sealed class Path(BenchCarrier carrier, IPacketLink link) : PeerPath(link)
    {
        public override int Headroom => 0;

        public override int MaxTogether => 1;

        public override int LargestPayload() => carrier.Largest;

        public override void Send(Span<byte> buffer, int stride)
        {
            Invariant.Check(!carrier.IsBroken);
            carrier.LastSent = buffer[((buffer.Length - 1) / stride * stride)..].ToArray();
        }

        public override void Follow(in Arrival arrival)
        {
            // A peer stays where it is.
        }

        public override bool Redirect(in FlowAddresses addresses) => false;

        public override void WearFlags(ReadOnlySpan<ushort> flags)
        {
            // A datagram wears no flags.
        }
    }
}
