using System.Buffers.Text;
using System.Text;

namespace Tunnel.Ctl.Bench.Workloads;

/// <summary>Reads an HTTP/1.1 answer as it comes: head, then a body by length, by chunks, or to the end (RFC 9112 section 6).</summary>
internal sealed class HttpAnswer
{
    private const int BufferSize = 64 * 1024;

    private readonly byte[] _buffer = new byte[BufferSize];
    private int _length;
    private long _left;
    private Phase _phase;

    private enum Phase
    {
        Head,
        ByLength,
        ChunkSize,
        Chunk,
        ChunkEnd,
        Trailer,
        ToEnd,
        Whole,
    }

    public bool IsWhole => _phase == Phase.Whole;

    public int Status { get; private set; }

    public long BodyBytes { get; private set; }

    /// <summary>The server closes the connection after this answer.</summary>
    public bool Closes { get; private set; }

    /// <summary>Where the next bytes go.</summary>
    public Memory<byte> Room => _buffer.AsMemory(_length);

    public void Begin()
    {
        (_length, _left, _phase) = (0, 0, Phase.Head);
        (Status, BodyBytes, Closes) = (0, 0, false);
    }

    /// <summary>That many bytes have come into <see cref="Room"/>.</summary>
    /// <exception cref="LoadException">This is no HTTP.</exception>
    public void Take(int count)
    {
        _length += count;
        int used = 0;
        while (Step(_buffer.AsSpan(used, _length - used), out int step))
            used += step;
        _buffer.AsSpan(used, _length - used).CopyTo(_buffer);
        _length -= used;
        if (_length == BufferSize)
            throw new LoadException(LoadError.Wrong, "a line of the answer's head is longer than 64 KiB");
    }

    /// <summary>The connection has ended.</summary>
    /// <exception cref="LoadException">In the midst of the answer.</exception>
    public void End()
    {
        if (_phase is not (Phase.ToEnd or Phase.Whole))
            throw new LoadException(LoadError.Closed, "the connection ended within the answer");
        _phase = Phase.Whole;
        Closes = true;
    }

    private bool Step(ReadOnlySpan<byte> bytes, out int used)
    {
        switch (_phase)
        {
            case Phase.Head:
                return TryReadHead(bytes, out used);
            case Phase.ByLength or Phase.Chunk or Phase.ToEnd:
                used = (int)Math.Min(bytes.Length, _left);
                return TryTakeBody(used);
            case Phase.ChunkSize or Phase.ChunkEnd or Phase.Trailer:
                used = bytes.IndexOf("\r\n"u8) + 2;
                return used >= 2 && TakeLine(bytes[..(used - 2)]);
            default:
                used = 0;
                return false;
        }
    }

    private bool TryTakeBody(int count)
    {
        BodyBytes += count;
        _left -= count;
        if (_left == 0)
            _phase = _phase == Phase.Chunk ? Phase.ChunkEnd : Phase.Whole;
        return count != 0;
    }

    private bool TakeLine(ReadOnlySpan<byte> line)
    {
        if (_phase == Phase.ChunkSize)
        {
            if (!Utf8Parser.TryParse(line, out _left, out int digits, 'x') || digits == 0 || _left < 0)
                throw new LoadException(LoadError.Wrong, "a chunk has no size");
            _phase = _left == 0 ? Phase.Trailer : Phase.Chunk;
        }
        else if (_phase == Phase.ChunkEnd)
        {
            _phase = Phase.ChunkSize;
        }
        else if (line.IsEmpty)
        {
            _phase = Phase.Whole;
        }

        return true;
    }

    private bool TryReadHead(ReadOnlySpan<byte> bytes, out int used)
    {
        used = bytes.IndexOf("\r\n\r\n"u8) + 4;
        if (used < 4)
            return false;
        ReadOnlySpan<byte> head = bytes[..(used - 2)];
        if (!head.StartsWith("HTTP/1."u8) || head.Length < 12 || !Utf8Parser.TryParse(head[9..12], out int status, out _))
            throw new LoadException(LoadError.Wrong, "the answer is not HTTP/1");
        Closes = head[7] == '0';
        Status = status;
        (_phase, _left) = (Phase.ToEnd, long.MaxValue);
        for (int at = head.IndexOf("\r\n"u8) + 2; at < head.Length;)
        {
            int end = head[at..].IndexOf("\r\n"u8);
            TakeField(head.Slice(at, end));
            at += end + 2;
        }

        if (status is 204 or 304 || _phase == Phase.ByLength && _left == 0)
            _phase = Phase.Whole;
        return true;
    }

    private void TakeField(ReadOnlySpan<byte> field)
    {
        int colon = field.IndexOf((byte)':');
        if (colon < 0)
            return;
        ReadOnlySpan<byte> name = field[..colon], value = field[(colon + 1)..].Trim((byte)' ');
        if (Is(name, "content-length"u8) && _phase == Phase.ToEnd)
        {
            if (!Utf8Parser.TryParse(value, out _left, out int digits) || digits != value.Length || _left < 0)
                throw new LoadException(LoadError.Wrong, "Content-Length is no number");
            _phase = Phase.ByLength;
        }
        else if (Is(name, "transfer-encoding"u8) && Is(value, "chunked"u8))
        {
            _phase = Phase.ChunkSize;
        }
        else if (Is(name, "connection"u8))
        {
            Closes = Is(value, "close"u8) || Closes && !Is(value, "keep-alive"u8);
        }
    }

    private static bool Is(ReadOnlySpan<byte> text, ReadOnlySpan<byte> lower) => Ascii.EqualsIgnoreCase(text, lower);
}
