namespace Tunnel.App.Runtime.Pool;

/// <summary>
/// Streams of datagrams: whoever sends the next one opens another, so they need not sit out the end of a session that fell silent.
/// Thread-safe.
/// </summary>
internal sealed class MovableStreams
{
    private readonly Lock _lock = new();
    private readonly HashSet<TunnelStream> _streams = [];

    /// <summary>Streams that are known; those that have ended are forgotten with the next <see cref="Purge"/>.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
                return _streams.Count;
        }
    }

    public void Add(TunnelStream stream)
    {
        lock (_lock)
            _streams.Add(stream);
    }

    public void Purge()
    {
        lock (_lock)
            _streams.RemoveWhere(s => s.IsClosed);
    }

    /// <summary>Closes a session's streams.</summary>
    public void Move(PeerSession session)
    {
        TunnelStream[] moved;
        lock (_lock)
        {
            moved = [.. _streams.Where(s => ReferenceEquals(s.Session, session))];
            _streams.ExceptWith(moved);
        }

        foreach (TunnelStream stream in moved)
            stream.Close();
    }
}
