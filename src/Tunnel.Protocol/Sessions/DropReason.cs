namespace Tunnel.Protocol.Sessions;

/// <summary>Why a datagram was not used. Counted, never fatal.</summary>
public enum DropReason
{
    /// <summary>It was used.</summary>
    None,

    /// <summary>Not a frame of ours: cut short, not TCP, a fragment, without payload.</summary>
    Frame,

    /// <summary>The guard's magic or cookie is missing or wrong.</summary>
    Guard,

    /// <summary>Shorter than the cipher's header and one segment.</summary>
    TooShort,

    /// <summary>Longer than any peer sends.</summary>
    TooLong,

    /// <summary>The checksum or tag is wrong: another key, another cipher, or damage.</summary>
    Cipher,

    /// <summary>A forward error correction packet of a peer that has FEC on; this version does not decode it.</summary>
    Fec,

    /// <summary>A KCP segment that cannot be: length, command or conversation.</summary>
    Kcp,

    /// <summary>Another conversation than the session's, and not the beginning of a new one.</summary>
    Conversation,

    /// <summary>From nobody known, and not the beginning of a conversation.</summary>
    UnknownPeer,

    /// <summary>The cap on sessions is reached.</summary>
    SessionLimit,

    /// <summary>The ceiling on the memory of all sessions is reached.</summary>
    Memory,

    /// <summary>This end is about to stop and takes no new sessions.</summary>
    Draining,

    /// <summary>The session has ended.</summary>
    Closed,

    /// <summary>Taking it apart, or making a session for it, failed: a defect of this program, which the log tells.</summary>
    Defect,
}
