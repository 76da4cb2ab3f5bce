using Tunnel.App.Runtime;
using Tunnel.Protocol.Sessions;

namespace Tunnel.App.Diagnostics.Status;

/// <summary>Sessions and streams with the rates of the time since they were last asked. One owner.</summary>
internal sealed class SessionRates(ITunnelEnd end)
{
    public const int MostSessions = 200;
    public const int MostStreams = 200;

    /// <summary>Beyond, streams are not even looked at: which are the busiest is then anybody's guess.</summary>
    private const int MostLookedAt = 4096;

    /// <summary>Of a session's loss, how much the last second is worth.</summary>
    private const double Freshness = 0.25;

    private Dictionary<PeerSession, Seen> _sessions = [];
    private Dictionary<(PeerSession, uint), (long In, long Out)> _streams = [];

    /// <param name="seconds">Since the last time.</param>
    public (SessionReport[] Sessions, StreamReport[] Streams) Read(double seconds)
    {
        PeerSession[] sessions = end.Ledger.GetSessions();
        var seen = new Dictionary<PeerSession, Seen>(sessions.Length);
        SessionReport[] reports = [.. sessions.Select(session => Report(session, seen, seconds))];
        _sessions = seen;
        return (Busiest(reports, r => r.InBytesPerSecond + r.OutBytesPerSecond, MostSessions), ReadStreams(sessions, seconds));
    }

    private SessionReport Report(PeerSession session, Dictionary<PeerSession, Seen> seen, double seconds)
    {
        SessionStatus s = session.GetStatus();
        Seen last = _sessions.GetValueOrDefault(session) ?? new Seen(s.Mux.BytesReceived, s.Mux.BytesSent, 0, 0, 0);
        long sent = s.Kcp.SegmentsSent - last.Segments;
        double loss = sent > 0 ? 100.0 * (s.Kcp.Retransmits - last.Retransmissions) / sent : 0;
        double smooth = last.Loss + Freshness * (loss - last.Loss);
        seen[session] = new Seen(s.Mux.BytesReceived, s.Mux.BytesSent, s.Kcp.SegmentsSent, s.Kcp.Retransmits, smooth);
        return new SessionReport(
            s.Peer,
            Name(session),
            (MonotonicClock.Now - session.OpenedAt).TotalSeconds,
            (MonotonicClock.Now - session.LastHeard).TotalSeconds,
            s.Streams,
            s.RoundTrip,
            s.RetransmissionTimeout,
            Math.Round(smooth, 3),
            s.InFlight,
            s.BytesInFlight,
            s.PacingRate,
            s.Window,
            s.RemoteWindow,
            s.LocalWindow,
            s.Mux.BytesReceived,
            s.Mux.BytesSent,
            (s.Mux.BytesReceived - last.In) / seconds,
            (s.Mux.BytesSent - last.Out) / seconds,
            s.Kcp.Retransmits,
            s.Kcp.Duplicates,
            s.Memory);
    }

    private StreamReport[] ReadStreams(PeerSession[] sessions, double seconds)
    {
        var seen = new Dictionary<(PeerSession, uint), (long, long)>();
        List<StreamReport> reports = [];
        foreach (PeerSession session in sessions)
        {
            foreach (StreamStatus stream in session.GetStreams(MostLookedAt - reports.Count))
            {
                (long lastIn, long lastOut) = _streams.GetValueOrDefault((session, stream.Id));
                seen[(session, stream.Id)] = (stream.BytesReceived, stream.BytesSent);
                reports.Add(Report(session, stream, (stream.BytesReceived - lastIn) / seconds, (stream.BytesSent - lastOut) / seconds));
            }
        }

        _streams = seen;
        return Busiest(reports, r => r.InBytesPerSecond + r.OutBytesPerSecond, MostStreams);
    }

    private static StreamReport Report(PeerSession session, StreamStatus stream, double inRate, double outRate) => new(
        session.Peer.ToString(),
        Name(session),
        stream.Id,
        stream.Use is null ? "control" : stream.Use.Request is StreamRequest.Udp ? "udp" : "tcp",
        stream.Use?.Target.ToString() ?? "",
        stream.Age.TotalSeconds,
        stream.BytesReceived,
        stream.BytesSent,
        inRate,
        outRate);

    private static string Name(PeerSession session) => session.Conv.ToString("x8");

    private static T[] Busiest<T>(IReadOnlyCollection<T> all, Func<T, double> rate, int most) =>
        all.Count <= most ? [.. all] : [.. all.OrderByDescending(rate).Take(most)];

    private sealed record Seen(long In, long Out, long Segments, long Retransmissions, double Loss);
}
