namespace Tunnel.App.Runtime.Pool;

/// <summary>Streams whose opening waits for the peer's word, so that they can be moved when the peer turns out to be gone. Thread-safe.</summary>
public sealed class PendingOpens
{
    private readonly HashSet<IPendingOpen> _opens = [];
    private int _count;

    public int Count => Volatile.Read(ref _count);

    internal void Add(IPendingOpen open)
    {
        lock (_opens)
        {
            _opens.Add(open);
            _count = _opens.Count;
        }
    }

    internal void Remove(IPendingOpen open)
    {
        lock (_opens)
        {
            _opens.Remove(open);
            _count = _opens.Count;
        }
    }

    /// <summary>The sessions for whose word somebody waits.</summary>
    internal PeerSession[] Sessions()
    {
        lock (_opens)
            return [.. _opens.Select(o => o.Stream.Session).Distinct()];
    }

    /// <summary>Breaks off what waits for a session, to be opened elsewhere.</summary>
    internal void Move(PeerSession session)
    {
        IPendingOpen[] moved;
        lock (_opens)
            moved = [.. _opens.Where(o => ReferenceEquals(o.Stream.Session, session))];
        foreach (IPendingOpen open in moved)
            open.Move();
    }
}

/// <summary>The opening of a stream, for as long as it waits for the peer's word.</summary>
internal interface IPendingOpen
{
    TunnelStream Stream { get; }

    /// <summary>Another session is to have it: closes the stream, and opens it again. Nothing where it has just been answered.</summary>
    void Move();
}
