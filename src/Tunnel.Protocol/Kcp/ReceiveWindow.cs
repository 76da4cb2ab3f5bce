namespace Tunnel.Protocol.Kcp;

/// <summary>
/// What was received and not yet taken: in order from <see cref="First"/> to <see cref="Next"/>, out of order beyond, in a ring that
/// grows with need.
/// </summary>
internal sealed class ReceiveWindow
{
    private const int InitialCapacity = 32;

    private readonly int _window;
    private int _stride;
    private ushort[] _lengths = [];
    private bool[] _present = [];
    private byte[] _data = [];
    private int _stored;
    private int _most;

    public ReceiveWindow(int window, int segmentSize, uint firstNumber)
    {
        _window = window;
        _stride = segmentSize;
        First = Next = firstNumber;
    }

    /// <summary>The first segment not taken by the user yet.</summary>
    public uint First { get; private set; }

    /// <summary>The first segment not received in order (rcv_nxt).</summary>
    public uint Next { get; private set; }

    /// <summary>In-order segments that wait for the user.</summary>
    public int Waiting => (int)(Next - First);

    /// <summary>What the peer may still send: KCP's wnd field.</summary>
    public ushort Free => (ushort)Math.Max(0, _window - Waiting);

    /// <summary>Something is kept, in order or not.</summary>
    public bool HasStored => _stored != 0;

    public int MemoryUse => _data.Length + _lengths.Length * 3;

    /// <summary>Below the window's end; what is not is refused and not acknowledged.</summary>
    public bool IsAcceptable(uint number) => (int)(number - (Next + (uint)_window)) < 0;

    /// <summary>Received before, taken by the user or not.</summary>
    public bool Contains(uint number) =>
        (int)(number - Next) < 0 || (number - First < (uint)_lengths.Length && _present[Slot(number)]);

    /// <summary>The user took the segment straight away; it was the next one and nothing waited.</summary>
    public void SkipNext()
    {
        Next++;
        First++;
    }

    /// <summary>Keeps a segment; false when it is a duplicate.</summary>
    public bool TryStore(uint number, ReadOnlySpan<byte> data)
    {
        if ((int)(number - Next) < 0)
            return false;
        EnsureCapacity(number, data.Length);
        int slot = Slot(number);
        if (_present[slot])
            return false;
        _present[slot] = true;
        _lengths[slot] = (ushort)data.Length;
        data.CopyTo(_data.AsSpan(slot * _stride));
        _stored++;
        return true;
    }

    /// <summary>Moves <see cref="Next"/> over what has become contiguous, while there is room.</summary>
    public void Advance()
    {
        while (_stored != 0 && Waiting < _window && Waiting < _lengths.Length && _present[Slot(Next)])
            Next++;
    }

    public bool TryPeek(out ReadOnlySpan<byte> data)
    {
        data = default;
        if (First == Next)
            return false;
        int slot = Slot(First);
        data = _data.AsSpan(slot * _stride, _lengths[slot]);
        return true;
    }

    public void Take()
    {
        _present[Slot(First)] = false;
        _stored--;
        First++;
    }

    /// <summary>Gives the memory back that was not used to a quarter since the last call, when nothing is held.</summary>
    public void Trim()
    {
        if (_most <= _lengths.Length / 4)
            Reclaim();
        _most = 0;
    }

    /// <summary>Gives the memory back when nothing is held.</summary>
    public void Reclaim()
    {
        if (_stored != 0 || _lengths.Length <= InitialCapacity)
            return;
        _lengths = [];
        _present = [];
        _data = [];
    }

    private int Slot(uint number) => (int)(number & (uint)(_lengths.Length - 1));

    private void EnsureCapacity(uint number, int length)
    {
        int needed = (int)(number - First) + 1;
        _most = Math.Max(_most, needed);
        int stride = Math.Max(_stride, length);
        if (needed <= _lengths.Length && stride == _stride)
            return;
        int capacity = Math.Max(InitialCapacity, _lengths.Length);
        while (capacity < needed)
            capacity *= 2;
        Rebuild(capacity, stride);
    }

    private void Rebuild(int capacity, int stride)
    {
        var lengths = new ushort[capacity];
        var present = new bool[capacity];
        byte[] data = GC.AllocateUninitializedArray<byte>(capacity * stride);
        for (int i = 0; i < _lengths.Length; i++)
        {
            // The place of each number in the old ring is known from First, because the ring spans at most its own length.
            uint number = First + (uint)i;
            int from = Slot(number);
            if (!_present[from])
                continue;
            int to = (int)(number & (uint)(capacity - 1));
            lengths[to] = _lengths[from];
            present[to] = true;
            _data.AsSpan(from * _stride, _lengths[from]).CopyTo(data.AsSpan(to * stride));
        }

        (_lengths, _present, _data, _stride) = (lengths, present, data, stride);
    }
}
