using Tunnel.Protocol.Mux;

namespace Tunnel.App.Runtime.Traffic;

/// <summary>
/// All sessions and links of the process: those that are there are asked when somebody wants to know, what those did that are gone is
/// remembered, so that no sum ever goes back. Nothing here is touched for a packet. Thread-safe.
/// </summary>
public sealed class TrafficLedger
{
    // Sessions are asked outside of this lock: who makes a session may be within another's turn.
    private readonly Lock _lock = new();
    private readonly HashSet<PeerSession> _sessions = [];
    private readonly HashSet<LinkReceiver> _links = [];
    private readonly SessionTotals _gone = new();
    private readonly Dictionary<string, LinkTotals> _goneLinks = [];
    private readonly long[] _closed = new long[Enum.GetValues<CloseReason>().Length];
    private long _opened;

    /// <summary>How connecting to targets went.</summary>
    public DialMeter Dials { get; } = new();

    public void Add(PeerSession session)
    {
        lock (_lock)
        {
            if (_sessions.Add(session))
                _opened++;
        }
    }

    /// <summary>The session has ended.</summary>
    public void Remove(PeerSession session)
    {
        var last = new SessionTotals();
        session.AddTo(last);
        lock (_lock)
        {
            if (!_sessions.Remove(session))
                return;
            _gone.Add(last);
            _closed[(int)session.CloseReason]++;
        }
    }

    public void Add(LinkReceiver link)
    {
        lock (_lock)
            _links.Add(link);
    }

    /// <summary>The link is about to be closed; its counters can still be read.</summary>
    public void Remove(LinkReceiver link)
    {
        lock (_lock)
        {
            if (_links.Remove(link))
                link.AddTo(TotalsOf(_goneLinks, link));
        }
    }

    /// <summary>The sessions that are there.</summary>
    public PeerSession[] GetSessions()
    {
        lock (_lock)
            return [.. _sessions];
    }

    /// <summary>Has every session give back what nothing is in.</summary>
    public void Reclaim()
    {
        foreach (PeerSession session in GetSessions())
            session.Reclaim();
    }

    /// <summary>What all did so far.</summary>
    public TrafficTotals Read()
    {
        var sessions = new SessionTotals();
        var links = new Dictionary<string, LinkTotals>();
        PeerSession[] live;
        long opened;
        long[] closed;
        lock (_lock)
        {
            sessions.Add(_gone);
            live = [.. _sessions];
            (opened, closed) = (_opened, [.. _closed]);
            foreach ((string name, LinkTotals totals) in _goneLinks)
                (links[name] = new LinkTotals()).Add(totals);
            foreach (LinkReceiver link in _links)
                link.AddTo(TotalsOf(links, link));
        }

        foreach (PeerSession session in live)
            session.AddTo(sessions);
        return new TrafficTotals(sessions, links, opened, closed);
    }

    private static LinkTotals TotalsOf(Dictionary<string, LinkTotals> byName, LinkReceiver link)
    {
        if (!byName.TryGetValue(link.Link.Name, out LinkTotals? totals))
            byName[link.Link.Name] = totals = new LinkTotals();
        return totals;
    }
}

/// <summary>What all sessions and links of the process did so far.</summary>
/// <param name="Sessions">All sessions, those that ended included.</param>
/// <param name="Links">By the link's name.</param>
/// <param name="Opened">Sessions made.</param>
/// <param name="Closed">Sessions ended, by <see cref="CloseReason"/>.</param>
public sealed record TrafficTotals(
    SessionTotals Sessions, IReadOnlyDictionary<string, LinkTotals> Links, long Opened, long[] Closed);
