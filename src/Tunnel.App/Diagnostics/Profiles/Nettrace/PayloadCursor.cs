using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Tunnel.App.Diagnostics.Profiles.Nettrace;

/// <summary>Reads little-endian fields one after the other. Reading past the end throws <see cref="InvalidDataException"/>.</summary>
internal ref struct PayloadCursor(ReadOnlySpan<byte> rest)
{
    private const int LongestVarint = 10;

    private ReadOnlySpan<byte> _rest = rest;

    public readonly int Left => _rest.Length;

    public ReadOnlySpan<byte> Take(int count)
    {
        if ((uint)count > (uint)_rest.Length)
            throw new InvalidDataException($"a field of {count} bytes, and {_rest.Length} are left");
        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    public byte ReadByte() => Take(1)[0];

    public short ReadInt16() => BinaryPrimitives.ReadInt16LittleEndian(Take(2));

    public int ReadInt32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public long ReadInt64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public ulong ReadUInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    /// <summary>Seven bits a byte, the lowest first.</summary>
    public ulong ReadVarint()
    {
        ulong value = 0;
        for (int i = 0; i < LongestVarint; i++)
        {
            byte part = ReadByte();
            value |= (ulong)(part & 0x7F) << (7 * i);
            if (part < 0x80)
                return value;
        }

        throw new InvalidDataException("a number of more than ten bytes");
    }

    /// <summary>UTF-16 up to a zero.</summary>
    public string ReadText()
    {
        ReadOnlySpan<char> characters = MemoryMarshal.Cast<byte, char>(_rest);
        int length = characters.IndexOf('\0');
        if (length < 0)
            throw new InvalidDataException("a text without end");
        Take(2 * length + 2);
        return characters[..length].ToString();
    }
}
