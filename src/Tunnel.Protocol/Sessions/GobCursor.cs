namespace Tunnel.Protocol.Sessions;

/// <summary>Reads gob's numbers off the front of bytes; once something was wrong, it stays so and everything reads as zero.</summary>
internal ref struct GobCursor(ReadOnlySpan<byte> source)
{
    private ReadOnlySpan<byte> _rest = source;

    public bool IsBroken { get; private set; }

    public readonly int Left => _rest.Length;

    /// <summary>Below 128 the byte itself; else 256 minus the number of bytes that follow, big-endian.</summary>
    public ulong ReadUnsigned()
    {
        if (_rest.IsEmpty)
            return Break();
        byte first = _rest[0];
        int count = first < 0x80 ? 0 : 256 - first;
        if (count > sizeof(ulong) || _rest.Length < 1 + count)
            return Break();
        ulong value = count == 0 ? first : 0UL;
        foreach (byte b in _rest.Slice(1, count))
            value = value << 8 | b;
        _rest = _rest[(1 + count)..];
        return value;
    }

    /// <summary>The sign is the lowest bit.</summary>
    public long ReadSigned()
    {
        ulong value = ReadUnsigned();
        return (value & 1) != 0 ? ~(long)(value >> 1) : (long)(value >> 1);
    }

    /// <summary>A length and so many bytes.</summary>
    public ReadOnlySpan<byte> ReadBytes()
    {
        ulong length = ReadUnsigned();
        if (length > (ulong)_rest.Length)
        {
            Break();
            return default;
        }

        ReadOnlySpan<byte> bytes = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return bytes;
    }

    /// <summary>Where a structure's next field is: from <paramref name="field"/> on by what is read; false at the structure's end.</summary>
    public bool NextField(ref int field)
    {
        ulong delta = ReadUnsigned();
        field += (int)Math.Min(delta, byte.MaxValue);
        return delta != 0 && !IsBroken;
    }

    public ulong Break()
    {
        IsBroken = true;
        _rest = default;
        return 0;
    }
}
