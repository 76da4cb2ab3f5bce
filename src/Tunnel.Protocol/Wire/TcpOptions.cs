using System.Buffers.Binary;

namespace Tunnel.Protocol.Wire;

/// <summary>
/// The options of a TCP header: <c>kind 1 | length 1 | data</c>, except end and no-operation, which are one byte. They can be
/// enumerated whatever they contain; the enumeration ends at the end option and at the first option that does not fit.
/// </summary>
public readonly ref struct TcpOptions
{
    // Two no-operations in front of the timestamps keep them aligned (RFC 7323, appendix A): the form that nearly every segment has.
    private const uint AlignedTimestamps = 0x0101_080A;

    private readonly ReadOnlySpan<byte> _bytes;

    internal TcpOptions(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    public bool IsEmpty => _bytes.IsEmpty;

    /// <summary>The first timestamps option (RFC 7323, 3.2), if there is one.</summary>
    public bool TryGetTimestamps(out uint value, out uint echo)
    {
        if (_bytes.Length >= 12 && BinaryPrimitives.ReadUInt32BigEndian(_bytes) == AlignedTimestamps)
        {
            value = BinaryPrimitives.ReadUInt32BigEndian(_bytes[4..]);
            echo = BinaryPrimitives.ReadUInt32BigEndian(_bytes[8..]);
            return true;
        }

        foreach (TcpOption option in this)
        {
            if (option.TryGetTimestamps(out value, out echo))
                return true;
        }

        (value, echo) = (0, 0);
        return false;
    }

    public Enumerator GetEnumerator() => new(_bytes);

    public ref struct Enumerator
    {
        private ReadOnlySpan<byte> _rest;

        internal Enumerator(ReadOnlySpan<byte> bytes) => _rest = bytes;

        public TcpOption Current { get; private set; }

        /// <summary>Whether the enumeration ended at an option that did not fit.</summary>
        public bool Malformed { get; private set; }

        public bool MoveNext()
        {
            if (_rest.IsEmpty)
                return false;

            byte kind = _rest[0];
            int length = LengthOf(kind, _rest);
            Malformed = length == 0;
            if (Malformed)
            {
                _rest = default;
                return false;
            }

            Current = new(kind, length == 1 ? default : _rest[2..length]);
            _rest = kind == TcpOption.End ? default : _rest[length..];
            return true;
        }

        private static int LengthOf(byte kind, ReadOnlySpan<byte> rest)
        {
            if (kind is TcpOption.End or TcpOption.NoOperation)
                return 1;
            return rest.Length >= 2 && rest[1] >= 2 && rest[1] <= rest.Length ? rest[1] : 0;
        }
    }
}

/// <summary>One option. The typed getters answer false when the kind is another or the length is not the kind's.</summary>
public readonly ref struct TcpOption
{
    public const byte End = 0;
    public const byte NoOperation = 1;
    public const byte MaximumSegmentSize = 2;
    public const byte WindowScale = 3;
    public const byte SackPermitted = 4;
    public const byte Timestamps = 8;

    internal TcpOption(byte kind, ReadOnlySpan<byte> data)
    {
        Kind = kind;
        Data = data;
    }

    public byte Kind { get; }

    /// <summary>What follows kind and length.</summary>
    public ReadOnlySpan<byte> Data { get; }

    /// <summary>RFC 2018.</summary>
    public bool IsSackPermitted => Kind == SackPermitted && Data.IsEmpty;

    /// <summary>RFC 9293, 3.2; bytes.</summary>
    public bool TryGetMaximumSegmentSize(out ushort size)
    {
        bool fits = Kind == MaximumSegmentSize && Data.Length == 2;
        size = fits ? BinaryPrimitives.ReadUInt16BigEndian(Data) : (ushort)0;
        return fits;
    }

    /// <summary>RFC 7323, 2.2; a power of two.</summary>
    public bool TryGetWindowScale(out byte shift)
    {
        bool fits = Kind == WindowScale && Data.Length == 1;
        shift = fits ? Data[0] : (byte)0;
        return fits;
    }

    /// <summary>RFC 7323, 3.2.</summary>
    public bool TryGetTimestamps(out uint value, out uint echo)
    {
        bool fits = Kind == Timestamps && Data.Length == 8;
        value = fits ? BinaryPrimitives.ReadUInt32BigEndian(Data) : 0;
        echo = fits ? BinaryPrimitives.ReadUInt32BigEndian(Data[4..]) : 0;
        return fits;
    }
}
