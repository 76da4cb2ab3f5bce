using Tunnel.Links;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>What datagrams wear on a link, and how a path to a peer is made: crafted TCP segments, or nothing at all.</summary>
public abstract class Carrier
{
    /// <summary>Takes a frame apart; false when it is not one of ours.</summary>
    public abstract bool TryUnwrap(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, out Arrival arrival);

    /// <summary>Bytes of the headers inside a link's MTU: IP and what is above it, at their longest.</summary>
    public abstract int PacketHeaders(bool ipv6);

    /// <summary>A path back to where a datagram came from.</summary>
    public abstract PeerPath Answer(IPacketLink link, in Arrival arrival);

    /// <summary>A path for one answer to somebody unknown, in the middle of whatever flow this is.</summary>
    public virtual PeerPath AnswerOnce(IPacketLink link, in Arrival arrival) => Answer(link, arrival);

    /// <summary>Sees to a frame that carries no datagram but belongs to a flow's beginning or end; false when it is not one.</summary>
    public virtual bool TryControl(IPacketLink link, ReadOnlySpan<byte> frame, Instant now) => false;
}

/// <summary>The way to one peer over a link. One owner at a time: the session's.</summary>
public abstract class PeerPath(IPacketLink link)
{
    /// <summary>What the link is called.</summary>
    public string LinkName => Link.Name;

    protected IPacketLink Link { get; } = link;

    /// <summary>The link can take frames that were merged on their way, and send frames that are cut on theirs.</summary>
    public bool TakesMerged => Link.MaxMergedLength > 0;

    /// <summary>Bytes that headers take once, in front of a whole run; 0 while each datagram has its own.</summary>
    public virtual int FrontRoom => 0;

    /// <summary>Bytes that the headers take in front of each datagram.</summary>
    public abstract int Headroom { get; }

    /// <summary>Datagrams that leave as one at most, to be cut on their way; 1: each by itself.</summary>
    public abstract int MaxTogether { get; }

    /// <summary>Bytes that a run may have, headers included.</summary>
    public virtual int MaximumRun => int.MaxValue;

    /// <summary>Bytes behind the headers that the link takes towards the peer now; 0 when that is not known. Asks the kernel.</summary>
    public abstract int LargestPayload();

    /// <summary>A session is about to look what it may send: the link may be another one than before.</summary>
    public virtual void Prepare()
    {
        // Most paths are what they were.
    }

    /// <summary>
    /// Sends a run of datagrams: <paramref name="buffer"/> holds, behind <see cref="FrontRoom"/> bytes, frames of
    /// <paramref name="stride"/> bytes back to back (the last possibly shorter), each with <see cref="Headroom"/> bytes in front. What
    /// the kernel does not take is loss.
    /// </summary>
    public abstract void Send(Span<byte> buffer, int stride);

    /// <summary>The peer was heard, authentically: the path follows where it is now.</summary>
    public abstract void Follow(in Arrival arrival);

    /// <summary>The peer takes merged frames: send them, if the link can.</summary>
    public virtual void Merge()
    {
        // A path that sends datagrams one by one goes on doing so.
    }

    /// <summary>
    /// The way to the peer has changed; a path that has no addresses of its own does nothing. False when it is the way that it was.
    /// </summary>
    public abstract bool Redirect(in FlowAddresses addresses);

    /// <summary>The session has ended: so does a flow that was opened.</summary>
    public virtual void Close()
    {
        // A path that nobody opened is not closed either.
    }

    /// <summary>The peer asked to see these TCP flags, in turn.</summary>
    public abstract void WearFlags(ReadOnlySpan<ushort> flags);
}
