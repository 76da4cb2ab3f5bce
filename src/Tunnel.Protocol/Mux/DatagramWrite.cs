namespace Tunnel.Protocol.Mux;

/// <summary>What became of a datagram that was to be sent.</summary>
public enum DatagramWrite
{
    /// <summary>It goes out; its memory is wanted until <see cref="MuxEventKind.Written"/>.</summary>
    Taken,

    /// <summary>The stream takes no more.</summary>
    Closed,

    /// <summary>It is empty (no frame is), or larger than the peer's window.</summary>
    Impossible,
}
