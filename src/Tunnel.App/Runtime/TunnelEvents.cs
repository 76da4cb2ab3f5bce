using System.Diagnostics.Tracing;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Runtime;

/// <summary>
/// The life of sessions and streams as events, for dotnet-trace and its like: provider "Tunnel". Off unless somebody listens; then a
/// few for each session and stream, none for a packet.
/// </summary>
[EventSource(Name = "Tunnel")]
public sealed class TunnelEvents : EventSource
{
    public static readonly TunnelEvents Log = new();

    private TunnelEvents()
    {
    }

    [NonEvent]
    public void SessionStarted(PeerSession session)
    {
        if (IsEnabled())
            SessionStarted(session.Conv, session.Peer.ToString());
    }

    [NonEvent]
    public void SessionEnded(PeerSession session)
    {
        if (IsEnabled())
            SessionEnded(session.Conv, session.Peer.ToString(), session.CloseReason.ToString());
    }

    /// <summary>A stream to a target has been set up. The bytes of its end include its header and the dial's result.</summary>
    /// <returns>Somebody listened, and is to be told when it closes.</returns>
    [NonEvent]
    internal bool StreamOpened(TunnelStream stream)
    {
        bool isHeard = IsEnabled();
        if (isHeard)
            StreamOpened(stream.Session.Conv, stream.Id, TargetOf(stream));
        return isHeard;
    }

    [NonEvent]
    internal void StreamClosed(TunnelStream stream) => StreamClosed(
        stream.Session.Conv, stream.Id, TargetOf(stream), stream.BytesSent, stream.BytesReceived, (long)stream.Age.TotalMilliseconds);

    [NonEvent]
    private static string TargetOf(TunnelStream stream) => stream.Use?.Target.ToString() ?? "";

    // Arguments as an array: with (uint, string) the compiler would take the overload for (long, string), and listeners would miss it.
    [Event(1, Level = EventLevel.Informational, Message = "session {0} with {1} started")]
    private void SessionStarted(uint conv, string peer) => WriteEvent(1, [conv, peer]);

    [Event(2, Level = EventLevel.Informational, Message = "session {0} with {1} ended: {2}")]
    private void SessionEnded(uint conv, string peer, string reason) => WriteEvent(2, conv, peer, reason);

    [Event(3, Level = EventLevel.Informational, Message = "stream {1} of session {0} to {2} opened")]
    private void StreamOpened(uint conv, uint stream, string target) => WriteEvent(3, conv, stream, target);

    [Event(4, Level = EventLevel.Informational, Message = "stream {1} of session {0} to {2} closed: sent {3} bytes, received {4}, {5} ms")]
    private void StreamClosed(uint conv, uint stream, string target, long bytesSent, long bytesReceived, long milliseconds) =>
        WriteEvent(4, conv, stream, target, bytesSent, bytesReceived, milliseconds);
}
