namespace Tunnel.Protocol.Mux;

public enum MuxEventKind
{
    /// <summary>The peer opened a stream.</summary>
    Opened,

    /// <summary>The stream has data or has ended. Raised once until it has been read empty.</summary>
    Readable,

    /// <summary>The pending write was sent whole.</summary>
    Written,
}

/// <summary>Something that the owner waits for.</summary>
public readonly record struct MuxEvent(MuxEventKind Kind, MuxStream Stream);

/// <summary>Why a session ended.</summary>
public enum CloseReason
{
    None,

    /// <summary>This end closed it.</summary>
    Local,

    /// <summary>Nothing was heard for the keepalive timeout.</summary>
    KeepAliveTimeout,

    /// <summary>The peer sent a frame that smux does not allow.</summary>
    ProtocolError,

    /// <summary>The peer sent more than the window it was given.</summary>
    WindowExceeded,

    /// <summary>The peer does not know the session any more: it was restarted, or gave the session up.</summary>
    PeerForgot,

    /// <summary>The peer said that it ends the session.</summary>
    Goodbye,

    /// <summary>The peer began a new conversation from the same address.</summary>
    Replaced,

    /// <summary>The link takes only shorter datagrams now than those that are in flight, and the peer takes them in no other form.</summary>
    PathTooNarrow,

    /// <summary>It never acknowledged anything, and another session needed the place.</summary>
    Unproven,

    /// <summary>A broken invariant: a defect of this program.</summary>
    Defect,
}
