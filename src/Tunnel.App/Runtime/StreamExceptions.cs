using Tunnel.Protocol.Mux;

namespace Tunnel.App.Runtime;

/// <summary>The session that carried the stream has ended; what was under way is lost.</summary>
public sealed class TunnelClosedException(CloseReason reason) : IOException($"the tunnel's session ended: {reason}")
{
    public CloseReason Reason { get; } = reason;
}

/// <summary>The peer broke the stream off.</summary>
public sealed class StreamResetException() : IOException("the peer reset the stream");
