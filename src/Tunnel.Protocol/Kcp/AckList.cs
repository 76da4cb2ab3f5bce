namespace Tunnel.Protocol.Kcp;

/// <summary>
/// The acknowledgements that are owed for what has arrived, in its order; and, before them, the newest of those that were written last and that una
/// does not cover yet: they are written once more, because what one lost datagram of them said would have to be sent again for nothing.
/// </summary>
internal struct AckList
{
    private const int InitialCapacity = 8;
    private const int TrimmedAbove = 1024;
    private const int Most = 1 << 17;
    private const int Recent = 64;

    /// <summary>What a millisecond brings at 350 Mbit/s; 768 bytes of a datagram at most.</summary>
    private const int MostRepeated = 32;

    private (uint Number, uint Timestamp)[] _acks = new (uint, uint)[InitialCapacity];
    private int _length;
    private int _repeated;
    private int _written;
    private bool _hasGap;

    public AckList()
    {
    }

    /// <summary>Those that are owed.</summary>
    public readonly int Count => _length - _repeated;

    public readonly int MemoryUse => _acks.Length * 8;

    /// <summary>Looks at the newest only: a peer that sends everything twice must not make each of them a walk.</summary>
    public readonly bool Contains(uint number)
    {
        for (int i = _length - 1; i >= Math.Max(Math.Max(_written, _repeated), _length - Recent); i--)
        {
            if (_acks[i].Number == number)
                return true;
        }

        return false;
    }

    public void Add(uint number, uint timestamp)
    {
        if (_length == _acks.Length)
        {
            if (_length >= Most)
                return;
            Array.Resize(ref _acks, _length * 2);
        }

        _acks[_length++] = (number, timestamp);
    }

    /// <summary>Writes what fits; true, and nothing is owed any more, when that was all.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="una">What every header says: all below it has arrived.</param>
    public bool TryWrite(ref SegmentWriter writer, uint una)
    {
        if (Count == 0)
            return true;
        WriteRepeated(ref writer, una);
        for (; _written < _length; _written++)
        {
            (uint number, uint timestamp) = _acks[_written];
            // What lies below una is acknowledged by una; only the last is echoed, for the round trip.
            bool isBeyondGap = IsBeyondGap(number, una);
            if (!isBeyondGap && _written != _length - 1)
                continue;
            if (!writer.TryWriteHeader(KcpCommand.Ack, timestamp, number))
                return false;
            _hasGap |= isBeyondGap;
        }

        KeepNewest(una);
        return true;
    }

    /// <summary>Gives the memory of many back when none is owed.</summary>
    public void Trim()
    {
        if (Count != 0 || _acks.Length <= TrimmedAbove)
            return;
        _acks = new (uint, uint)[InitialCapacity];
        _length = _repeated = 0;
    }

    private static bool IsBeyondGap(uint number, uint una) => (int)(number - una) >= 0;

    /// <summary>
    /// First of all, and only where one that is owed comes behind them: kcp-go takes the round trip from a datagram's last echo.
    /// </summary>
    private void WriteRepeated(ref SegmentWriter writer, uint una)
    {
        for (; _written < _repeated && writer.Room >= 2 * KcpSegment.HeaderLength; _written++)
        {
            if (IsBeyondGap(_acks[_written].Number, una))
                writer.TryWriteHeader(KcpCommand.Ack, _acks[_written].Timestamp, _acks[_written].Number);
        }

        _written = Math.Max(_written, _repeated);
    }

    /// <summary>Everything has been written, and some of it is to be written once more.</summary>
    private void KeepNewest(uint una)
    {
        int kept = 0;
        for (int i = Math.Max(_repeated, _length - MostRepeated); _hasGap && i < _length; i++)
        {
            if (IsBeyondGap(_acks[i].Number, una))
                _acks[kept++] = _acks[i];
        }

        _length = _repeated = kept;
        _written = 0;
        _hasGap = false;
    }
}
