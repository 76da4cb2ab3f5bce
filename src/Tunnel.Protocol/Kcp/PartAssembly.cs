using System.Diagnostics.CodeAnalysis;

namespace Tunnel.Protocol.Kcp;

/// <summary>
/// Segments that arrive in parts, until they are whole. Parts may come in any order, more than once and cut differently. Whoever owns
/// it lets in only numbers that the receive window accepts, so it holds at most a window's worth.
/// </summary>
internal struct PartAssembly
{
    private const int PruneAt = 64;

    /// <summary>Null until there is one: most sessions never see a part.</summary>
    private Dictionary<uint, Unfinished>? _segments;
    private int _pruneAt = PruneAt;

    public PartAssembly()
    {
    }

    public int MemoryUse { get; private set; }

    public readonly int Count => _segments?.Count ?? 0;

    /// <summary>Adds a part; true with the segment's data when that makes it whole, after which it is forgotten.</summary>
    public bool TryComplete(uint number, SegmentPart part, ReadOnlySpan<byte> data, [NotNullWhen(true)] out byte[]? whole)
    {
        whole = null;
        _segments ??= [];
        if (!_segments.TryGetValue(number, out Unfinished? segment))
        {
            segment = new Unfinished(part.Total);
            _segments[number] = segment;
            MemoryUse += segment.MemoryUse;
        }

        // A segment's length does not change: a peer that says so would have memory made anew for every few bytes.
        if (segment.Data.Length != part.Total || !segment.Add(part.Offset, data))
            return false;
        whole = segment.Data;
        Forget(number);
        return true;
    }

    /// <summary>Forgets what has arrived whole meanwhile; cheap to call often.</summary>
    public void Prune(ReceiveWindow received)
    {
        if (Count >= _pruneAt)
            Trim(received);
    }

    /// <summary>The same, however little it is: long after, its number will be another segment's.</summary>
    public void Trim(ReceiveWindow received)
    {
        if (_segments is null)
            return;
        foreach (uint number in _segments.Keys)
        {
            if (received.Contains(number))
                Forget(number);
        }

        _pruneAt = Math.Max(PruneAt, _segments.Count * 2);
    }

    private void Forget(uint number)
    {
        if (_segments!.Remove(number, out Unfinished? segment))
            MemoryUse -= segment.MemoryUse;
    }

    private sealed class Unfinished(int total)
    {
        private readonly bool[] _present = new bool[total];
        private int _missing = total;

        public byte[] Data { get; } = new byte[total];

        public int MemoryUse => Data.Length * 2;

        /// <summary>True when nothing is missing.</summary>
        public bool Add(int offset, ReadOnlySpan<byte> data)
        {
            data.CopyTo(Data.AsSpan(offset));
            for (int i = offset; i < offset + data.Length; i++)
            {
                _missing -= _present[i] ? 0 : 1;
                _present[i] = true;
            }

            return _missing == 0;
        }
    }
}
