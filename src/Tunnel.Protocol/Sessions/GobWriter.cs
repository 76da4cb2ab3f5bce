using System.Buffers.Binary;
using System.Numerics;

namespace Tunnel.Protocol.Sessions;

/// <summary>Writes gob's numbers one behind the other.</summary>
internal ref struct GobWriter(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;

    public int Length { get; private set; }

    public void Unsigned(ulong value)
    {
        if (value < 0x80)
        {
            _destination[Length++] = (byte)value;
            return;
        }

        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, value);
        ReadOnlySpan<byte> significant = bytes[(BitOperations.LeadingZeroCount(value) / 8)..];
        _destination[Length++] = (byte)(256 - significant.Length);
        Raw(significant);
    }

    public void Signed(long value) => Unsigned(value < 0 ? ((ulong)~value << 1) | 1 : (ulong)value << 1);

    public void Raw(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_destination[Length..]);
        Length += bytes.Length;
    }
}
