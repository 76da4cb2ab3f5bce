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

    /// <summary>What sending meets instead; null for nothing.</summary>
    public Exception? OnSend { get; set; }

    /// <summary>What taking a frame apart meets; null for nothing.</summary>
    public Exception? OnUnwrap { get; set; }

    /// <summary>What following a peer meets; null for nothing.</summary>
    public Exception? OnFollow { get; set; }

    /// <summary>What closing a path meets; null for nothing.</summary>
    public Exception? OnClose { get; set; }

    /// <summary>Paths whose session has ended and that it had for itself.</summary>
    public int Closed { get; private set; }

    public override bool TryUnwrap(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, out Arrival arrival) =>
        OnUnwrap is null ? _inner.TryUnwrap(frame, address, out arrival) : throw OnUnwrap;

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
            Meet(carrier.OnSend);
            carrier.LastSent = buffer[((buffer.Length - 1) / stride * stride)..].ToArray();
        }

        public override void Follow(in Arrival arrival)
        {
            // A peer stays where it is.
            Meet(carrier.OnFollow);
        }

        public override void Close()
        {
            carrier.Closed++;
            Meet(carrier.OnClose);
        }

        private static void Meet(Exception? exception)
        {
            if (exception is not null)
                throw exception;
        }

        public override bool Redirect(in FlowAddresses addresses) => false;

        public override void WearFlags(ReadOnlySpan<ushort> flags)
        {
            // A datagram wears no flags.
        }
    }
}
