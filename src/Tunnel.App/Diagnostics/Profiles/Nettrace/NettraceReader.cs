using System.Buffers.Binary;
using System.Text;

namespace Tunnel.App.Diagnostics.Profiles.Nettrace;

/// <summary>
/// Reads the stream that the runtime's EventPipe writes (.nettrace, version 4) as it comes, one block in memory at a time. The form: a
/// signature, then objects, each a name with versions and a content; all but the first are blocks with a length, aligned to four bytes
/// from the stream's beginning.
/// </summary>
/// <param name="stream">Read to the end of the trace; not closed.</param>
/// <param name="sink">Who is told what it holds.</param>
internal sealed class NettraceReader(Stream stream, INettraceSink sink)
{
    private const byte NullTag = 1, BeginTag = 5, EndTag = 6;
    private const int NewestVersion = 4;
    private const int TraceLength = 48;
    private const int PointerLengthAt = 32;
    private const int LongestBlock = 64 << 20;
    private const int LongestName = 64;

    private readonly NettraceBlocks _blocks = new(sink);
    private byte[] _buffer = new byte[128 * 1024];
    private long _position;

    /// <exception cref="InvalidDataException">This is no such stream.</exception>
    /// <exception cref="EndOfStreamException">It broke off.</exception>
    public void Run()
    {
        Expect("Nettrace"u8);
        BinaryPrimitives.WriteInt32LittleEndian(_buffer, "!FastSerialization.1"u8.Length);
        Expect([.. _buffer.AsSpan(0, 4), .. "!FastSerialization.1"u8]);
        byte tag = ReadByte();
        for (; tag == BeginTag; tag = ReadByte())
            ReadObject();
        if (tag != NullTag)
            throw new InvalidDataException($"an object begins with {tag}");
    }

    private void ReadObject()
    {
        Expect([BeginTag, NullTag]);
        ReadInt32();
        int neededVersion = ReadInt32();
        int nameLength = ReadInt32();
        if ((uint)nameLength > LongestName)
            throw new InvalidDataException($"an object's name of {nameLength} bytes");
        string name = Encoding.UTF8.GetString(Read(nameLength));
        if (neededVersion > NewestVersion)
            throw new InvalidDataException($"{name} needs a reader of version {neededVersion}");
        Expect([EndTag]);
        if (name == "Trace")
            ReadTrace();
        else
            _blocks.Read(name, ReadBlock());
        Expect([EndTag]);
    }

    private void ReadTrace()
    {
        int pointerLength = BinaryPrimitives.ReadInt32LittleEndian(Read(TraceLength)[PointerLengthAt..]);
        if (pointerLength != 8)
            throw new InvalidDataException($"addresses of {pointerLength} bytes");
    }

    private ReadOnlySpan<byte> ReadBlock()
    {
        int length = ReadInt32();
        if ((uint)length > LongestBlock)
            throw new InvalidDataException($"a block of {length} bytes");
        Read((int)(-_position & 3));
        return Read(length);
    }

    private void Expect(ReadOnlySpan<byte> expected)
    {
        if (!Read(expected.Length).SequenceEqual(expected))
            throw new InvalidDataException($"not a trace of version {NewestVersion}: unexpected bytes before {_position}");
    }

    private byte ReadByte() => Read(1)[0];

    private int ReadInt32() => BinaryPrimitives.ReadInt32LittleEndian(Read(4));

    private ReadOnlySpan<byte> Read(int count)
    {
        if (count > _buffer.Length)
            _buffer = new byte[Math.Max(count, 2 * _buffer.Length)];
        stream.ReadExactly(_buffer, 0, count);
        _position += count;
        return _buffer.AsSpan(0, count);
    }
}
