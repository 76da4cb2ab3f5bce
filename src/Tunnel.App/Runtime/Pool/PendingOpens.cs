namespace Tunnel.App.Runtime.Pool;

/// <summary>Streams whose opening waits for the peer's word, so that they can be moved when the peer turns out to be gone. Thread-safe.</summary>
public sealed class PendingOpens
{
    private readonly HashSet<PendingOpen> _opens = [];
    private int _count;

    public int Count => Volatile.Read(ref _count);

    internal PendingOpen Add(TunnelStream stream)
    {
        var open = new PendingOpen(this, stream);
        lock (_opens)
        {
            _opens.Add(open);
            _count = _opens.Count;
        }

        return open;
    }

    internal void Remove(PendingOpen open)
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
        PendingOpen[] moved;
        lock (_opens)
            moved = [.. _opens.Where(o => ReferenceEquals(o.Stream.Session, session))];
        foreach (PendingOpen open in moved)
            open.Move();
    }
}

/// <summary>A stream whose opening waits for the peer's word, until this is disposed.</summary>
public sealed class PendingOpen : IDisposable
{
    private readonly PendingOpens _opens;

    internal PendingOpen(PendingOpens opens, TunnelStream stream) => (_opens, Stream) = (opens, stream);

    /// <summary>The stream was closed because another session is to have it: open it again.</summary>
    public bool Moved { get; private set; }

    internal TunnelStream Stream { get; }

    public void Dispose() => _opens.Remove(this);

    internal void Move()
    {
        Moved = true;
        Stream.Close();
    }
}
