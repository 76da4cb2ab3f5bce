using Tunnel.Protocol.Primitives;

namespace Tunnel.Protocol.Mux;

/// <summary>
/// The streams that are open: whose their numbers are, how many there may be, and how they ended. A stream is in here exactly as long as it
/// counts for the caps: one that ended both ways until this end's user closes it, who may hold what it brought, and a socket, for long.
/// </summary>
internal sealed class StreamTable
{
    private readonly Dictionary<uint, MuxStream> _streams = [];
    private readonly IStreamAdmission? _admission;
    private readonly int _most;
    private readonly BlockPool _pool;
    private uint _lastOwn;
    private MuxCounters _counters;

    /// <param name="most">Streams at a time, where nobody admits them.</param>
    /// <param name="isClient">Clients open odd streams from 3, servers even ones from 2.</param>
    /// <param name="admission">A cap over all sessions, if there is one.</param>
    /// <param name="pool">Where what streams receive lies.</param>
    public StreamTable(int most, bool isClient, IStreamAdmission? admission, BlockPool pool)
    {
        (_most, _admission, _pool) = (most, admission, pool);
        _lastOwn = isClient ? 1u : 0u;
    }

    public int Count => _streams.Count;

    public Dictionary<uint, MuxStream>.ValueCollection All => _streams.Values;

    /// <summary>There are as many as may be.</summary>
    public bool IsFull => Count >= (_admission?.MaxStreams ?? _most);

    /// <summary>All numbers of this end are used up.</summary>
    public bool IsSpent => _lastOwn > uint.MaxValue - 2;

    /// <summary>Streams of the peer that were refused.</summary>
    public long Refused { get; private set; }

    /// <summary>What became of streams; nothing about bytes.</summary>
    public MuxCounters Counters => _counters;

    public MuxStream? Find(uint id) => _streams.TryGetValue(id, out MuxStream? stream) ? stream : null;

    /// <summary>The number is of this end's half: the peer may not open it.</summary>
    public bool IsOwn(uint id) => id % 2 == _lastOwn % 2;

    /// <summary>A stream of this end, whose numbers are not used up; null when a cap is in the way.</summary>
    public MuxStream? TryOpen()
    {
        if (!TryAdmit())
            return null;
        _counters.Opened++;
        return Add(_lastOwn += 2);
    }

    /// <summary>A stream of the peer's, whose number is free; null when a cap is in the way.</summary>
    public MuxStream? TryAccept(uint id)
    {
        if (!TryAdmit())
        {
            Refused++;
            return null;
        }

        _counters.Accepted++;
        return Add(id);
    }

    /// <summary>A stream has ended, if it had not before.</summary>
    public void Remove(MuxStream stream, StreamEnding ending)
    {
        if (!_streams.Remove(stream.Id))
            return;
        _admission?.Release();
        if (ending == StreamEnding.Finished)
            _counters.Finished++;
        else if (ending == StreamEnding.Closed)
            _counters.Closed++;
        else
            _counters.Reset++;
    }

    /// <summary>The session has ended, and all streams with it.</summary>
    public void RemoveAll()
    {
        foreach (MuxStream stream in _streams.Values)
        {
            _counters.Finished += stream.IsFinished ? 1 : 0;
            _counters.Lost += stream.IsFinished ? 0 : 1;
            _admission?.Release();
        }

        _streams.Clear();
    }

    /// <summary>No cap is in the way of another stream; which one was is counted. Where somebody admits, its caps count: they may have changed.</summary>
    private bool TryAdmit()
    {
        StreamAdmission own = Count < _most ? StreamAdmission.Admitted : StreamAdmission.SessionIsFull;
        StreamAdmission admission = _admission?.Admit(Count) ?? own;
        _counters.RefusedBySession += admission == StreamAdmission.SessionIsFull ? 1 : 0;
        _counters.RefusedInAll += admission == StreamAdmission.AllAreFull ? 1 : 0;
        _counters.RefusedForMemory += admission == StreamAdmission.OutOfMemory ? 1 : 0;
        return admission == StreamAdmission.Admitted;
    }

    private MuxStream Add(uint id)
    {
        var stream = new MuxStream(id, _pool);
        _streams.Add(id, stream);
        return stream;
    }
}

/// <summary>How a stream ended.</summary>
internal enum StreamEnding
{
    /// <summary>In order, both ways.</summary>
    Finished,

    /// <summary>This end closed it before that.</summary>
    Closed,

    /// <summary>The peer broke it off.</summary>
    Reset,
}
