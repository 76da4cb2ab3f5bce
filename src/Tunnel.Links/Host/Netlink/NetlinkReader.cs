using System.Buffers.Binary;

namespace Tunnel.Links.Host.Netlink;

/// <summary>
/// Walks the messages in what a netlink socket received. A length that does not fit ends the walk: nothing is read beyond the bytes that
/// are there, whatever they say.
/// </summary>
internal ref struct NetlinkReader(ReadOnlySpan<byte> bytes)
{
    private const int HeaderLength = 16;

    private ReadOnlySpan<byte> _rest = bytes;

    internal ushort Type { get; private set; }

    internal uint Sequence { get; private set; }

    /// <summary>What follows the message's header.</summary>
    internal ReadOnlySpan<byte> Body { get; private set; }

    internal bool MoveNext()
    {
        if (_rest.Length < HeaderLength)
            return false;

        uint length = BinaryPrimitives.ReadUInt32LittleEndian(_rest);
        if (length < HeaderLength || length > _rest.Length)
            return false;

        Type = BinaryPrimitives.ReadUInt16LittleEndian(_rest[4..]);
        Sequence = BinaryPrimitives.ReadUInt32LittleEndian(_rest[8..]);
        Body = _rest[HeaderLength..(int)length];
        _rest = _rest[Math.Min(Align((int)length), _rest.Length)..];
        return true;
    }

    internal static int Align(int length) => (length + 3) & ~3;
}

/// <summary>Walks attributes; like <see cref="NetlinkReader"/> it believes no length.</summary>
internal ref struct AttributeReader(ReadOnlySpan<byte> bytes)
{
    private const int HeaderLength = 4;
    private const int TypeMask = 0x3FFF;

    private ReadOnlySpan<byte> _rest = bytes;

    internal ushort Type { get; private set; }

    internal ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>The value as a number, or 0 when it is too short for one.</summary>
    internal readonly uint Number => Value.Length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(Value) : 0;

    internal bool MoveNext()
    {
        if (_rest.Length < HeaderLength)
            return false;

        int length = BinaryPrimitives.ReadUInt16LittleEndian(_rest);
        if (length < HeaderLength || length > _rest.Length)
            return false;

        Type = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(_rest[2..]) & TypeMask);
        Value = _rest[HeaderLength..length];
        _rest = _rest[Math.Min(NetlinkReader.Align(length), _rest.Length)..];
        return true;
    }
}
