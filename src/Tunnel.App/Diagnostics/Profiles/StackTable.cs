using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Tunnel.App.Diagnostics.Profiles;

/// <summary>
/// Every different stack once, with a number that stays. Bounded: a stack that comes when the table is full gets the number of
/// <see cref="Overflow"/>.
/// </summary>
internal sealed class StackTable
{
    /// <summary>No stack at all.</summary>
    public const int Empty = 0;

    /// <summary>Stands for all for which there was no room.</summary>
    public const int Overflow = 1;

    private readonly int _maximumBytes;
    private readonly List<byte[]> _stacks = [[], []];
    private readonly Dictionary<byte[], int> _numbers = new(new BytesComparer());
    private readonly Dictionary<byte[], int>.AlternateLookup<ReadOnlySpan<byte>> _lookup;
    private readonly List<int> _current = [];
    private int _firstCurrent;
    private int _bytes;

    /// <param name="maximumBytes">What all stacks may take together.</param>
    public StackTable(int maximumBytes = 32 << 20)
    {
        _maximumBytes = maximumBytes;
        _lookup = _numbers.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    public int Count => _stacks.Count;

    /// <summary>Return addresses, the innermost first.</summary>
    public ReadOnlySpan<ulong> this[int number] => MemoryMarshal.Cast<byte, ulong>(_stacks[number]);

    /// <summary>The stream's stack <paramref name="id"/> is this.</summary>
    public void Set(int id, ReadOnlySpan<byte> addresses)
    {
        if (_current.Count == 0)
            _firstCurrent = id;
        // The runtime counts them up; one that it left out would be a stack that no event may name.
        while (_firstCurrent + _current.Count < id)
            _current.Add(Empty);
        _current.Add(NumberOf(addresses));
    }

    /// <summary>The stream's numbers mean nothing any more.</summary>
    public void Forget() => _current.Clear();

    /// <summary>The lasting number of the stream's stack.</summary>
    public int Find(int id)
    {
        int at = id - _firstCurrent;
        return (uint)at < (uint)_current.Count ? _current[at] : Empty;
    }

    private int NumberOf(ReadOnlySpan<byte> addresses)
    {
        if (addresses.IsEmpty)
            return Empty;
        if (_lookup.TryGetValue(addresses, out int number))
            return number;
        if (_bytes + addresses.Length > _maximumBytes)
            return Overflow;
        byte[] copy = addresses.ToArray();
        _bytes += copy.Length;
        _numbers.Add(copy, _stacks.Count);
        _stacks.Add(copy);
        return _stacks.Count - 1;
    }

    private sealed class BytesComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public bool Equals(byte[]? x, byte[]? y) => x.AsSpan().SequenceEqual(y);

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => alternate.SequenceEqual(other);

        public int GetHashCode([DisallowNull] byte[] bytes) => GetHashCode(bytes.AsSpan());

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = new HashCode();
            hash.AddBytes(alternate);
            return hash.ToHashCode();
        }

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();
    }
}
