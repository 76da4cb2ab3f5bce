using Tunnel.Protocol.Primitives;

namespace Tunnel.Protocol.Kcp;

/// <summary>
/// The segments in flight, by number, in a ring that grows with need up to the window. Every segment is in up to two lists that
/// need no search: the order of transmission (what acknowledgements pass by is at its head) and a wheel of retransmission times.
/// </summary>
/// <remarks>
/// Links between segments are segment numbers, not places in the ring, so that growing the ring does not break them; a link to
/// itself ends a list. Numbers wrap at 2^32 (serial number arithmetic, RFC 1982).
/// </remarks>
internal sealed class SendWindow
{
    private const int InitialCapacity = 32;
    private const int BucketMilliseconds = 4;
    private const int BucketCount = 512;

    private readonly int _initialStride;
    private readonly uint[] _bucketHeads = new uint[BucketCount];
    private readonly ulong[] _bucketUse = new ulong[BucketCount / 64];
    private Slot[] _slots = [];
    private byte[] _data = [];
    private long _wheelTick;
    private int _armed;
    private uint _orderHead;
    private uint _orderTail;
    private int _orderCount;
    private int _most;
    private int _stride;

    public SendWindow(int segmentSize, uint firstNumber)
    {
        _initialStride = _stride = segmentSize;
        First = Next = firstNumber;
    }

    /// <summary>The oldest segment that is not acknowledged (snd_una).</summary>
    public uint First { get; private set; }

    /// <summary>The number of the next new segment (snd_nxt).</summary>
    public uint Next { get; private set; }

    /// <summary>Segments from <see cref="First"/> to <see cref="Next"/>.</summary>
    public int Count => (int)(Next - First);

    /// <summary>Bytes of data that are sent and not acknowledged.</summary>
    public int BytesInFlight { get; private set; }

    /// <summary>Bytes of data in flight that are not known to be lost.</summary>
    public int BytesUnderWay { get; private set; }

    /// <summary>Bytes of data that have been acknowledged since the beginning.</summary>
    public long BytesDelivered { get; private set; }

    /// <summary>Bytes of data in the longest segment that is not acknowledged; a walk of the window.</summary>
    public int LongestInFlight
    {
        get
        {
            int longest = 0;
            for (uint number = First; number != Next; number++)
                longest = this[number].State == SlotState.Acknowledged ? longest : Math.Max(longest, this[number].Length);
            return longest;
        }
    }

    /// <summary>Bytes of memory held.</summary>
    public int MemoryUse => _data.Length + _slots.Length * 48;

    /// <summary>Room for the next new segment's data; call <see cref="Append"/> once it is filled.</summary>
    /// <param name="size">Bytes; segments grow when the path turns out to carry more.</param>
    public Span<byte> Reserve(int size)
    {
        if (Count == _slots.Length || size > _stride)
            Rebuild(Count == _slots.Length ? Math.Max(InitialCapacity, _slots.Length * 2) : _slots.Length, Math.Max(size, _stride));
        return _data.AsSpan((int)(Next & (uint)(_slots.Length - 1)) * _stride, size);
    }

    public uint Append(int length)
    {
        uint number = Next++;
        _most = Math.Max(_most, Count);
        this[number] = new Slot { Length = (ushort)length, State = SlotState.New };
        BytesInFlight += length;
        return number;
    }

    public ref Slot this[uint number] => ref _slots[number & (uint)(_slots.Length - 1)];

    public ReadOnlySpan<byte> Data(uint number) =>
        _data.AsSpan((int)(number & (uint)(_slots.Length - 1)) * _stride, this[number].Length);

    public bool Contains(uint number) => number - First < (uint)Count;

    /// <summary>Notes a transmission: the segment goes to the end of the order and its timeout is set.</summary>
    public void MarkSent(uint number, ulong order, uint timestamp, long resendAt, long now)
    {
        ref Slot slot = ref this[number];
        if (slot.State != SlotState.InFlight)
            BytesUnderWay += slot.Length;
        slot.State = SlotState.InFlight;
        slot.Order = order;
        slot.Timestamp = slot.CopyTimestamp = timestamp;
        slot.ResendAt = resendAt;
        slot.Transmissions++;
        AppendOrder(number, ref slot);
        Arm(number, ref slot, now);
    }

    /// <summary>Gives the segment a later timeout; it stays in flight.</summary>
    public void Postpone(uint number, long resendAt, long now)
    {
        ref Slot slot = ref this[number];
        Disarm(number, ref slot);
        slot.ResendAt = resendAt;
        Arm(number, ref slot, now);
    }

    /// <summary>Takes the segment off both lists: it is lost and will be sent again.</summary>
    public void MarkLost(uint number, SlotState why)
    {
        ref Slot slot = ref this[number];
        Unlink(number, ref slot);
        if (slot.State == SlotState.InFlight)
            BytesUnderWay -= slot.Length;
        slot.State = why;
    }

    /// <summary>False when it was acknowledged before.</summary>
    public bool Acknowledge(uint number)
    {
        ref Slot slot = ref this[number];
        if (slot.State == SlotState.Acknowledged)
            return false;
        Unlink(number, ref slot);
        if (slot.State == SlotState.InFlight)
            BytesUnderWay -= slot.Length;
        slot.State = SlotState.Acknowledged;
        BytesInFlight -= slot.Length;
        BytesDelivered += slot.Length;
        return true;
    }

    /// <summary>Moves <see cref="First"/> past what is acknowledged; returns by how many.</summary>
    public int Advance()
    {
        uint before = First;
        while (First != Next && this[First].State == SlotState.Acknowledged)
            First++;
        return (int)(First - before);
    }

    /// <summary>The in-flight segment that was transmitted longest ago.</summary>
    public bool TryGetOldest(out uint number)
    {
        number = _orderHead;
        return _orderCount != 0;
    }

    /// <summary>When the next timeout may be due, in milliseconds; at most one bucket late, never early. MaxValue when none is armed.</summary>
    public long NextTimeout
    {
        get
        {
            if (_armed == 0)
                return long.MaxValue;
            int start = (int)(_wheelTick & (BucketCount - 1));
            int ahead = BitRing.NextSet(_bucketUse, start, BucketCount);
            return (_wheelTick + ahead + 1) * BucketMilliseconds;
        }
    }

    /// <summary>The next segment whose timeout ran out; it stays armed until it is marked lost. Call until false.</summary>
    public bool TryGetTimedOut(long now, out uint number)
    {
        number = 0;
        // A bucket is looked at once its whole span has passed.
        long last = now / BucketMilliseconds - 1;
        while (_armed != 0 && _wheelTick <= last)
        {
            int bucket = (int)(_wheelTick & (BucketCount - 1));
            if ((_bucketUse[bucket >> 6] >> (bucket & 63) & 1) == 0)
            {
                int ahead = BitRing.NextSet(_bucketUse, bucket, BucketCount);
                _wheelTick = Math.Min(_wheelTick + ahead, last + 1);
                continue;
            }

            number = _bucketHeads[bucket];
            ref Slot slot = ref this[number];
            if (slot.ResendAt <= now)
                return true;
            // It was put here because it lies beyond the wheel's horizon, or its bucket came round early: put it where it belongs.
            Disarm(number, ref slot);
            Arm(number, ref slot, now);
        }

        return false;
    }

    /// <summary>
    /// Gives the memory of a window back that was not used to a quarter since the last call. A busy one that happens to be empty would only be
    /// made anew, and what that leaves behind is garbage by the megabyte.
    /// </summary>
    public void Trim()
    {
        if (_most <= _slots.Length / 4)
            Reclaim();
        _most = Count;
    }

    /// <summary>Gives the memory of a window that was large back when nothing is in flight.</summary>
    public void Reclaim()
    {
        if (Count != 0 || _slots.Length <= InitialCapacity)
            return;
        _slots = [];
        _data = [];
        _stride = _initialStride;
    }

    private void Rebuild(int capacity, int stride)
    {
        var slots = new Slot[capacity];
        byte[] data = GC.AllocateUninitializedArray<byte>(capacity * stride);
        for (uint number = First; number != Next; number++)
        {
            int from = (int)(number & (uint)(_slots.Length - 1));
            int to = (int)(number & (uint)(capacity - 1));
            slots[to] = _slots[from];
            _data.AsSpan(from * _stride, _slots[from].Length).CopyTo(data.AsSpan(to * stride));
        }

        (_slots, _data, _stride) = (slots, data, stride);
    }

    private void AppendOrder(uint number, ref Slot slot)
    {
        slot.InOrder = true;
        slot.OrderNext = number;
        if (_orderCount++ == 0)
        {
            slot.OrderPrevious = number;
            _orderHead = number;
        }
        else
        {
            slot.OrderPrevious = _orderTail;
            this[_orderTail].OrderNext = number;
        }

        _orderTail = number;
    }

    private void Unlink(uint number, ref Slot slot)
    {
        if (slot.InOrder)
        {
            bool first = number == _orderHead, last = number == _orderTail;
            if (first)
                _orderHead = slot.OrderNext;
            else
                this[slot.OrderPrevious].OrderNext = last ? slot.OrderPrevious : slot.OrderNext;
            if (last)
                _orderTail = slot.OrderPrevious;
            else
                this[slot.OrderNext].OrderPrevious = first ? slot.OrderNext : slot.OrderPrevious;
            slot.InOrder = false;
            _orderCount--;
        }

        if (slot.Armed)
            Disarm(number, ref slot);
    }

    private void Arm(uint number, ref Slot slot, long now)
    {
        if (_armed == 0)
            _wheelTick = Math.Max(_wheelTick, now / BucketMilliseconds);
        long tick = Math.Clamp(slot.ResendAt / BucketMilliseconds, _wheelTick, _wheelTick + BucketCount - 1);
        int bucket = (int)(tick & (BucketCount - 1));
        ref ulong use = ref _bucketUse[bucket >> 6];
        ulong bit = 1UL << (bucket & 63);
        slot.WheelPrevious = number;
        slot.WheelNext = number;
        if ((use & bit) != 0)
        {
            slot.WheelNext = _bucketHeads[bucket];
            this[slot.WheelNext].WheelPrevious = number;
        }

        use |= bit;
        _bucketHeads[bucket] = number;
        slot.Bucket = (ushort)bucket;
        slot.Armed = true;
        _armed++;
    }

    private void Disarm(uint number, ref Slot slot)
    {
        bool first = slot.WheelPrevious == number, last = slot.WheelNext == number;
        if (first && last)
            _bucketUse[slot.Bucket >> 6] &= ~(1UL << (slot.Bucket & 63));
        else if (first)
            _bucketHeads[slot.Bucket] = slot.WheelNext;
        if (!first)
            this[slot.WheelPrevious].WheelNext = last ? slot.WheelPrevious : slot.WheelNext;
        if (!last)
            this[slot.WheelNext].WheelPrevious = first ? slot.WheelNext : slot.WheelPrevious;
        slot.Armed = false;
        _armed--;
    }

    public enum SlotState : byte
    {
        New,
        InFlight,
        LostFast,
        LostEarly,
        LostTimeout,
        Acknowledged,
    }

    public struct Slot
    {
        /// <summary>Which transmission this was, counted over the whole session.</summary>
        public ulong Order;
        public long ResendAt;
        public uint Timestamp;

        /// <summary>Of what was sent last: the transmission, or its copy.</summary>
        public uint CopyTimestamp;
        public uint OrderPrevious;
        public uint OrderNext;
        public uint WheelPrevious;
        public uint WheelNext;
        public int Timeout;
        public ushort Transmissions;
        public ushort Length;
        public ushort Bucket;
        public SlotState State;
        public bool InOrder;
        public bool Armed;

        /// <summary>A later copy of the transmission was sent, and this is its echo.</summary>
        public readonly bool IsOfCopy(uint echo) => echo == CopyTimestamp && echo != Timestamp;

        /// <summary>This is the echo of the transmission, or of a copy.</summary>
        public readonly bool IsEchoedBy(uint echo) => echo == Timestamp || echo == CopyTimestamp;
    }
}
