using System.Buffers.Binary;
using System.Net;
using Tunnel.Links;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>Datagrams as they are, over a link that carries datagrams itself (udp, memory).</summary>
public sealed class DatagramCarrier : Carrier
{
    // sockaddr_in: family, port, 4 address bytes at 4; sockaddr_in6: family, port, flow, 16 address bytes at 8.
    private const int PortOffset = 2;
    private const int V4Offset = 4;
    private const int V6Offset = 8;
    private const int V6Length = 28;

    public override bool TryUnwrap(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, out Arrival arrival)
    {
        arrival = default;
        if (address.Length < V6Offset || frame.IsEmpty)
            return false;
        ReadOnlySpan<byte> host = address.Length >= V6Length ? address.Slice(V6Offset, 16) : address.Slice(V4Offset, 4);
        arrival = new Arrival
        {
            Peer = Endpoint.FromBytes(host, BinaryPrimitives.ReadUInt16BigEndian(address[PortOffset..])),
            Payload = frame,
            SocketAddress = address,
        };
        return true;
    }

    public override PeerPath Answer(IPacketLink link, in Arrival arrival) => new Path(link, arrival.SocketAddress);

    public static PeerPath Open(IPacketLink link, IPEndPoint peer) => new Path(link, peer.Serialize().Buffer.Span);

    private sealed class Path(IPacketLink link, ReadOnlySpan<byte> address) : PeerPath(link)
    {
        private readonly byte[] _address = address.ToArray();

        public override int Headroom => 0;

        public override void Send(Span<byte> buffer, int stride) => Link.Send(buffer, stride, _address);

        public override void Follow(in Arrival arrival)
        {
            // The peer is its address; another address is another peer.
        }

        public override void Redirect(in FlowAddresses addresses)
        {
            // The kernel finds the way.
        }

        public override void WearFlags(ReadOnlySpan<ushort> flags)
        {
            // A datagram wears no flags.
        }
    }
}
