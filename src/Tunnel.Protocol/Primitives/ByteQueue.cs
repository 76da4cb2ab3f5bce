namespace Tunnel.Protocol.Primitives;

/// <summary>A queue of bytes in pooled blocks; it holds no memory while it is empty.</summary>
public sealed class ByteQueue(BlockPool pool)
{
    private readonly Queue<byte[]> _blocks = new(0);
    private byte[] _last = [];
    private int _head;
    private int _tail;

    public int Length { get; private set; }

    public void Write(ReadOnlySpan<byte> data)
    {
        Length += data.Length;
        while (!data.IsEmpty)
        {
            if (_blocks.Count == 0 || _tail == BlockPool.BlockLength)
            {
                _blocks.Enqueue(_last = pool.Rent());
                _tail = 0;
            }

            int n = Math.Min(data.Length, BlockPool.BlockLength - _tail);
            data[..n].CopyTo(_last.AsSpan(_tail));
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
            byte[] first = _blocks.Peek();
            int end = _blocks.Count == 1 ? _tail : BlockPool.BlockLength;
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
        while (_blocks.Count != 0)
            ReleaseFirst();
        Length = 0;
    }

    private void ReleaseFirst()
    {
        pool.Return(_blocks.Dequeue());
        _head = 0;
    }
}
