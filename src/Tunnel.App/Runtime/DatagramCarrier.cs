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

    // IP and UDP.
    private const int V4Headers = 20 + 8;
    private const int V6Headers = 40 + 8;

    // The longest UDP payload over IPv4, and the longest that the kernel cuts.
    private const int LongestRun = 65507;

    public override bool TryUnwrap(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, out Arrival arrival)
    {
        arrival = default;
        if (address.Length < V6Offset || frame.IsEmpty)
            return false;
        arrival = new Arrival
        {
            Peer = AddressOf(address),
            Payload = frame,
            SocketAddress = address,
        };
        return true;
    }

    public override int PacketHeaders(bool ipv6) => ipv6 ? V6Headers : V4Headers;

    public override PeerPath Answer(IPacketLink link, in Arrival arrival) => new Path(link, arrival.SocketAddress);

    public static PeerPath Open(IPacketLink link, IPEndPoint peer) => new Path(link, peer.Serialize().Buffer.Span);

    /// <summary>What a sockaddr_in or sockaddr_in6 says.</summary>
    internal static Endpoint AddressOf(ReadOnlySpan<byte> address)
    {
        ReadOnlySpan<byte> host = address.Length >= V6Length ? address.Slice(V6Offset, 16) : address.Slice(V4Offset, 4);
        return Endpoint.FromBytes(host, BinaryPrimitives.ReadUInt16BigEndian(address[PortOffset..]));
    }

    private sealed class Path(IPacketLink link, ReadOnlySpan<byte> address) : PeerPath(link)
    {
        private readonly byte[] _address = address.ToArray();

        public override int Headroom => 0;

        public override int MaxTogether => Link.MaxTogether;

        // One datagram more would be a message of its own.
        public override int MaximumRun => LongestRun;

        public override int LargestPayload()
        {
            int mtu = Link.MtuTowards(_address);
            return mtu == 0 ? 0 : mtu - (AddressOf(_address).IsIPv4 ? V4Headers : V6Headers);
        }

        public override void Send(Span<byte> buffer, int stride) => Link.Send(buffer, stride, _address);

        public override void Follow(in Arrival arrival)
        {
            // The peer is its address; another address is another peer.
        }

        // The kernel finds the way.
        public override bool Redirect(in FlowAddresses addresses) => false;

        public override void WearFlags(ReadOnlySpan<ushort> flags)
        {
            // A datagram wears no flags.
        }
    }
}
