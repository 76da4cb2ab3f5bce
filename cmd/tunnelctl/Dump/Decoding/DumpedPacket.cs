using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Wire;

namespace Tunnel.Ctl.Dump.Decoding;

/// <summary>A frame taken apart as far as it goes.</summary>
/// <param name="Frame">As captured.</param>
/// <param name="Headline">Its headers, as tcpdump prints them.</param>
/// <param name="Source">Null when it is neither TCP nor UDP; so is the next.</param>
/// <param name="Destination">The receiver.</param>
/// <param name="TcpFlags">0 for UDP.</param>
/// <param name="Datagrams">What it carried: one, or several that were merged on their way.</param>
internal sealed record DumpedPacket(
    CapturedFrame Frame, string Headline, Endpoint? Source, Endpoint? Destination, ushort TcpFlags, IReadOnlyList<DumpedDatagram> Datagrams);

/// <summary>One datagram of the tunnel.</summary>
/// <param name="Length">Bytes, guard excluded.</param>
/// <param name="State">How far it could be opened.</param>
/// <param name="Detail">What goes with the state: the guard's verdict, or the cipher's name.</param>
internal sealed record DumpedDatagram(int Length, DatagramState State, string Detail)
{
    public List<DumpedSegment> Segments { get; } = [];
}

internal enum DatagramState
{
    Open,

    /// <summary>The guard does not pass it.</summary>
    Guard,

    /// <summary>No key opens it.</summary>
    Sealed,

    /// <summary>Forward error correction.</summary>
    Fec,

    /// <summary>It opens, and is no chain of KCP segments.</summary>
    Malformed,
}

/// <summary>A KCP segment, and the smux frames that it completes the way for.</summary>
internal sealed record DumpedSegment(KcpSegment Segment, SegmentPlace Place, uint WaitsFor)
{
    public List<DumpedMuxFrame> Frames { get; } = [];
}

/// <summary>Where a PUSH stands in the order of its conversation.</summary>
internal enum SegmentPlace
{
    /// <summary>Not a PUSH.</summary>
    None,

    /// <summary>The next one.</summary>
    Next,

    /// <summary>Another has to come first.</summary>
    Waits,

    /// <summary>Seen before.</summary>
    Again,
}

/// <summary>A smux frame's beginning, or that there is none where one was expected.</summary>
/// <param name="Number">The number of the segment that it begins in.</param>
/// <param name="Frame">Meaningless with a gap.</param>
/// <param name="Gap">What is missing; empty when nothing is.</param>
internal sealed record DumpedMuxFrame(uint Number, MuxFrame Frame, string Gap)
{
    /// <summary>What the stream asked for or answered, once it is known: a target, ping, pong.</summary>
    public string Note { get; set; } = "";
}
