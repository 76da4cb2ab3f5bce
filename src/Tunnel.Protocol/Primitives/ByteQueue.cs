namespace Tunnel.Protocol.Primitives;

/// <summary>A queue of bytes in pooled blocks; it holds no memory while it is empty.</summary>
public sealed class ByteQueue(BlockPool pool)
{
    private byte[]? _first;
    private byte[]? _last;

    // What is behind the first. Most streams never have a second at a time.
    private Queue<byte[]>? _rest;
    private int _head;
    private int _tail;

    public int Length { get; private set; }

    public void Write(ReadOnlySpan<byte> data)
    {
        Length += data.Length;
        while (!data.IsEmpty)
        {
            byte[] last = _last is { } block && _tail != BlockPool.BlockLength ? block : Append();
            int n = Math.Min(data.Length, BlockPool.BlockLength - _tail);
            data[..n].CopyTo(last.AsSpan(_tail));
            _tail += n;
            data = data[n..];
        }
    }

    /// <summary>Takes up to <paramref name="destination"/>'s length; returns how many bytes.</summary>
    public int Read(Span<byte> destination)
    {
        int total = Math.Min(destination.Length, Length);
        for (int done = 0; done < total;)
        {
            byte[] first = _first!;
            int end = first == _last ? _tail : BlockPool.BlockLength;
            int n = Math.Min(total - done, end - _head);
            first.AsSpan(_head, n).CopyTo(destination[done..]);
            done += n;
            _head += n;
            if (_head == end)
                ReleaseFirst();
        }

        Length -= total;
        return total;
    }

    public void Clear()
    {
        while (_first is not null)
            ReleaseFirst();
        Length = 0;
    }

    private byte[] Append()
    {
        byte[] block = pool.Rent();
        if (_first is null)
            _first = block;
        else
            (_rest ??= new Queue<byte[]>()).Enqueue(block);
        _last = block;
        _tail = 0;
        return block;
    }

    private void ReleaseFirst()
    {
        pool.Return(_first!);
        _first = _rest is { Count: > 0 } rest ? rest.Dequeue() : null;
        // The pool may drop it.
        _last = _first is null ? null : _last;
        _head = 0;
    }
}
