using Tunnel.Links;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>What datagrams wear on a link, and how a path to a peer is made: crafted TCP segments, or nothing at all.</summary>
public abstract class Carrier
{
    /// <summary>Takes a frame apart; false when it is not one of ours.</summary>
    public abstract bool TryUnwrap(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, out Arrival arrival);

    /// <summary>A path back to where a datagram came from.</summary>
    public abstract PeerPath Answer(IPacketLink link, in Arrival arrival);
}

/// <summary>The way to one peer over a link. One owner at a time: the session's.</summary>
public abstract class PeerPath(IPacketLink link)
{
    protected IPacketLink Link { get; } = link;

    /// <summary>Bytes that the headers take in front of each datagram.</summary>
    public abstract int Headroom { get; }

    /// <summary>
    /// Sends a run of datagrams: <paramref name="buffer"/> holds frames of <paramref name="stride"/> bytes back to back (the last
    /// possibly shorter), each with <see cref="Headroom"/> bytes in front. What the kernel does not take is loss.
    /// </summary>
    public abstract void Send(Span<byte> buffer, int stride);

    /// <summary>The peer was heard, authentically: the path follows where it is now.</summary>
    public abstract void Follow(in Arrival arrival);

    /// <summary>The way to the peer has changed; a path that has no addresses of its own does nothing.</summary>
    public abstract void Redirect(in FlowAddresses addresses);

    /// <summary>The peer asked to see these TCP flags, in turn.</summary>
    public abstract void WearFlags(ReadOnlySpan<ushort> flags);
}
