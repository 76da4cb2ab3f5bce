using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>A session as an operator wants to see it. Times in milliseconds, windows in segments, memory and MTU in bytes.</summary>
public sealed record SessionStatus(
    string Peer,
    uint Conv,
    int Streams,
    int RoundTrip,
    int RetransmissionTimeout,
    int InFlight,
    int Window,
    KcpCounters Kcp,
    long Memory,
    int Mtu)
{
    public MuxCounters Mux { get; init; }

    public int BytesInFlight { get; init; }

    /// <summary>Bytes of data a second that may leave; 0 while what leaves is not paced.</summary>
    public long PacingRate { get; init; }

    /// <summary>Segments that the peer can take.</summary>
    public int RemoteWindow { get; init; }

    /// <summary>Segments that this end can take.</summary>
    public int LocalWindow { get; init; }

    /// <summary>Bytes that wait for readers.</summary>
    public long Buffered { get; init; }

    /// <summary>Within a turn of the session.</summary>
    internal static SessionStatus Of(Session session, in Endpoint peer)
    {
        KcpEngine kcp = session.Kcp;
        return new SessionStatus(
            peer.ToString(), kcp.Conv, session.Mux.StreamCount, kcp.SmoothedRoundTrip, kcp.RetransmissionTimeout, kcp.InFlight, kcp.Window,
            kcp.Counters, session.MemoryUse, session.Mtu)
        {
            Mux = session.Mux.Counters,
            BytesInFlight = kcp.BytesInFlight,
            PacingRate = kcp.PacingRate,
            RemoteWindow = kcp.RemoteWindow,
            LocalWindow = kcp.LocalWindow,
            Buffered = session.Mux.Buffered,
        };
    }
}
