namespace Tunnel.Protocol.Sessions;

/// <summary>
/// What an end of ours can do beyond the peers' format. Announced on a stream of its own; what the peer did not announce is not
/// used. Bits that a reader does not know mean nothing to it.
/// </summary>
[Flags]
public enum Capabilities : uint
{
    None = 0,

    /// <summary>A <see cref="StreamRequest.Dial"/> is answered with a <see cref="DialResult"/>.</summary>
    DialResult = 1,

    /// <summary>FIN ends one direction only.</summary>
    HalfClose = 2,

    /// <summary>A session's end is said.</summary>
    Goodbye = 4,

    /// <summary>A stream that breaks is reset (<see cref="Mux.MuxCommand.Reset"/>), which is not the same as finished.</summary>
    Reset = 8,

    /// <summary>
    /// Frames may carry several datagrams, merged or never cut on their way (segmentation offload, GRO). Announced by ends whose
    /// link tells where to split them.
    /// </summary>
    MergedFrames = 16,

    /// <summary>A <see cref="StreamRequest.UdpFramed"/> is understood: each datagram behind its length.</summary>
    FramedUdp = 32,

    /// <summary>A <see cref="StreamRequest.Reverse"/> is understood by servers, a <see cref="StreamRequest.Connection"/> by clients.</summary>
    Reverse = 128,

    /// <summary><see cref="StreamRequest.Draining"/> and <see cref="DialResult.Leaving"/> are understood.</summary>
    Drain = 512,

    /// <summary>What a peer acknowledges is a sign of its life: who has been heard needs to be asked by nobody.</summary>
    AcknowledgedLife = 1024,

    /// <summary>
    /// Probes of the path's MTU are answered, datagrams up to <see cref="Kcp.KcpEngine.LargestDatagram"/> are taken, and segments that
    /// have become too long for the path are taken in parts.
    /// </summary>
    PathMtu = 1u << 31,

    /// <summary>Everything that this version can do, on a link that takes merged frames.</summary>
    All = DialResult | HalfClose | Goodbye | Reset | MergedFrames | FramedUdp | Reverse | Drain | AcknowledgedLife | PathMtu,
}

/// <summary>How a dial went: one byte in front of the target's. The values are those of SOCKS5 replies (RFC 1928, section 6).</summary>
public enum DialResult : byte
{
    Connected = 0,
    Failed = 1,
    NotAllowed = 2,
    NetworkUnreachable = 3,

    /// <summary>The host cannot be reached, or its name does not resolve.</summary>
    HostUnreachable = 4,
    Refused = 5,
    TimedOut = 6,

    /// <summary>Of ours: the server is about to stop and dialled nothing; another session may be asked.</summary>
    Leaving = 128,
}
