namespace Tunnel.Protocol.Kcp;

/// <summary>The acknowledgements that are owed for what has arrived, in its order.</summary>
internal struct AckList
{
    private const int InitialCapacity = 8;
    private const int TrimmedAbove = 1024;
    private const int Most = 1 << 17;
    private const int Recent = 64;

    private (uint Number, uint Timestamp)[] _acks = new (uint, uint)[InitialCapacity];
    private int _sent;

    public AckList()
    {
    }

    public int Count { get; private set; }

    public readonly int MemoryUse => _acks.Length * 8;

    /// <summary>Looks at the newest only: a peer that sends everything twice must not make each of them a walk.</summary>
    public readonly bool Contains(uint number)
    {
        for (int i = Count - 1; i >= Math.Max(_sent, Count - Recent); i--)
        {
            if (_acks[i].Number == number)
                return true;
        }

        return false;
    }

    public void Add(uint number, uint timestamp)
    {
        if (Count == _acks.Length)
        {
            if (Count >= Most)
                return;
            Array.Resize(ref _acks, Count * 2);
        }

        _acks[Count++] = (number, timestamp);
    }

    /// <summary>Writes what fits; true, and nothing is owed any more, when that was all.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="una">What every header says: all below it has arrived.</param>
    public bool TryWrite(ref SegmentWriter writer, uint una)
    {
        for (; _sent < Count; _sent++)
        {
            (uint number, uint timestamp) = _acks[_sent];
            // What lies below una is acknowledged by una; only the last is echoed, for the round trip.
            if ((int)(number - una) < 0 && _sent != Count - 1)
                continue;
            if (!writer.TryWriteHeader(KcpCommand.Ack, timestamp, number))
                return false;
        }

        Count = _sent = 0;
        return true;
    }

    /// <summary>Gives the memory of many back when none is owed.</summary>
    public void Trim()
    {
        if (Count == 0 && _acks.Length > TrimmedAbove)
            _acks = new (uint, uint)[InitialCapacity];
    }
}
