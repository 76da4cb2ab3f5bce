using Tunnel.Links.Sockets;

namespace Tunnel.Links;

/// <summary>
/// What carries frames. A link of <see cref="LinkFraming.Ethernet"/> moves whole Ethernet frames (pcap, afpacket); a link of
/// <see cref="LinkFraming.Datagram"/> moves datagrams and says with each one, in the kernel's sockaddr bytes, where it came from or
/// goes to (udp, memory). One thread at a time receives; any thread sends.
/// </summary>
public interface IPacketLink : IDisposable
{
    /// <summary>The name used in configuration, logs and metrics: pcap, afpacket, udp, memory.</summary>
    string Name { get; }

    LinkFraming Framing { get; }

    /// <summary>
    /// Waits up to <paramref name="timeoutMilliseconds"/> for frames, hands every one that is there (up to a batch) to
    /// <paramref name="sink"/>, calls <see cref="IFrameSink.OnBatchEnd"/> if there were any, and returns their number. The spans are
    /// valid only during the call. A link that broke (interface gone) throws <see cref="LinkException"/>.
    /// </summary>
    int Receive(IFrameSink sink, int timeoutMilliseconds);

    /// <summary>
    /// From now on <paramref name="watch"/> tells when there is something to receive: frames, a <see cref="Wake"/>, or that the link broke. What
    /// one call of <see cref="Receive"/> with no time to wait leaves behind is told again. Null: nobody is told any more. One caller at a time,
    /// and not while the link is disposed of.
    /// </summary>
    /// <exception cref="LinkException">The kernel cannot watch it.</exception>
    void Watch(LinkWatch? watch);

    /// <summary>
    /// Sends a run: frames of <paramref name="frameLength"/> bytes that lie back to back, the last possibly shorter. Never throws
    /// for what the network does (ENOBUFS, ENETDOWN, ...): what the kernel did not take counts as loss. Returns how many were taken.
    /// </summary>
    /// <param name="run">The frames.</param>
    /// <param name="frameLength">Bytes in each frame but the last.</param>
    /// <param name="address">For datagram links the destination as sockaddr_in or sockaddr_in6; empty for Ethernet links.</param>
    int Send(ReadOnlySpan<byte> run, int frameLength, ReadOnlySpan<byte> address);

    /// <summary>
    /// The longest frame, headers included, that <see cref="SendMerged"/> takes; 0 when the link cannot. It may become 0 while the link
    /// is open, when a device turns out to refuse such frames.
    /// </summary>
    int MaxMergedLength { get; }

    /// <summary>
    /// How many frames of a run <see cref="Send"/> hands over as one that is cut on its way out, without any trace on the wire; 1 where
    /// each is handed over by itself. May become 1 while the link is open.
    /// </summary>
    int MaxTogether => 1;

    /// <summary>
    /// Sends one Ethernet frame whose payload the kernel or the device cuts into segments of <paramref name="segmentLength"/> bytes,
    /// the last possibly shorter, each with a copy of the headers and its own sequence number, lengths and checksums. Says whether the
    /// kernel took it; counts segments, as they are on the wire. Never throws for what the network does.
    /// </summary>
    /// <param name="frame">
    /// The frame, without VLAN tags. Its TCP checksum field holds the folded, not complemented sum of the pseudo-header over the whole
    /// TCP length; its IP length and checksum are those of the whole packet.
    /// </param>
    /// <param name="headerLength">Bytes in the Ethernet, IP and TCP headers.</param>
    /// <param name="segmentLength">TCP payload bytes in each segment but the last.</param>
    bool SendMerged(ReadOnlySpan<byte> frame, int headerLength, int segmentLength);

    /// <summary>
    /// The longest IP packet that leaves by this link towards an address; 0 when that is not known. A question to the kernel, for when a
    /// session begins or the network has changed.
    /// </summary>
    /// <param name="address">As for <see cref="Send"/>.</param>
    int MtuTowards(ReadOnlySpan<byte> address);

    /// <summary>Ends a Receive that waits, now or the next one that would; for shutdown and reconfiguration. Any thread.</summary>
    void Wake();

    /// <summary>Counters since the link opened. Any thread; each value is read at one instant, not all at the same one.</summary>
    LinkCounters Counters { get; }
}

public enum LinkFraming
{
    Ethernet,
    Datagram,
}

/// <summary>Receives what a link captured. Called by whoever receives, on that thread.</summary>
public interface IFrameSink
{
    /// <param name="frame">The frame (Ethernet) or the datagram's payload; valid during the call only.</param>
    /// <param name="address">The sender as sockaddr_in or sockaddr_in6 for datagram links; empty for Ethernet links.</param>
    /// <param name="segmentLength">
    /// Payload bytes of each TCP segment, or each datagram, but the last that were merged into this frame; 0 when the link does not know
    /// that it was merged. Datagrams that were merged are of one sender, and each of them stands for itself.
    /// </param>
    void OnFrame(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, int segmentLength);

    /// <summary>The batch is over: now is the time to answer.</summary>
    void OnBatchEnd();
}

/// <summary>Packets and bytes at the link, as the link saw them.</summary>
/// <param name="PacketsIn">Frames handed to the sink; of merged datagrams each.</param>
/// <param name="BytesIn">Their bytes.</param>
/// <param name="PacketsOut">Frames the kernel took.</param>
/// <param name="BytesOut">Their bytes.</param>
/// <param name="SendErrors">Frames the kernel refused: loss.</param>
/// <param name="KernelDrops">Frames that the kernel dropped before this process could read them, as the kernel says: what was merged, once.</param>
/// <param name="Truncated">Frames longer than the capture length: dropped.</param>
public readonly record struct LinkCounters(
    long PacketsIn,
    long BytesIn,
    long PacketsOut,
    long BytesOut,
    long SendErrors,
    long KernelDrops,
    long Truncated)
{
    public static LinkCounters operator +(LinkCounters a, LinkCounters b) => new(
        a.PacketsIn + b.PacketsIn,
        a.BytesIn + b.BytesIn,
        a.PacketsOut + b.PacketsOut,
        a.BytesOut + b.BytesOut,
        a.SendErrors + b.SendErrors,
        a.KernelDrops + b.KernelDrops,
        a.Truncated + b.Truncated);
}

/// <summary>A link that could not be opened or that broke: what, where, and what to do about it.</summary>
public sealed class LinkException : Exception
{
    public LinkException(LinkFault fault, string message, Exception? inner = null)
        : base(message, inner) => Fault = fault;

    public LinkFault Fault { get; }
}

/// <summary>The class of a link's error; it decides the exit code, and whether to try again.</summary>
public enum LinkFault
{
    /// <summary>The process lacks CAP_NET_RAW or CAP_NET_ADMIN.</summary>
    Privilege,

    /// <summary>A library or a program that the link needs is not installed.</summary>
    MissingDependency,

    /// <summary>The interface does not exist or is down, or no route or neighbour is known (yet).</summary>
    Network,

    /// <summary>The port is taken.</summary>
    PortInUse,

    /// <summary>The configuration asks for what this host cannot do.</summary>
    Configuration,

    /// <summary>Anything else the kernel or the library refused.</summary>
    Other,
}
