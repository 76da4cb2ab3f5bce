namespace Tunnel.Protocol.Primitives;

/// <summary>Blocks of one size that one owner uses again and again; what a quiet owner does not need goes back to the heap.</summary>
public sealed class BlockPool
{
    public const int BlockLength = 4096;

    private readonly Stack<byte[]> _free = new();
    private int _out;
    private int _peakOut;

    /// <summary>Bytes in use and kept.</summary>
    public long MemoryUse => (long)(_out + _free.Count) * BlockLength;

    public byte[] Rent()
    {
        _peakOut = Math.Max(_peakOut, ++_out);
        // Not among the young objects: a reader that is slow for a moment takes megabytes of blocks, which the collector would copy while it
        // holds everybody up.
        return _free.TryPop(out byte[]? block) ? block : GC.AllocateUninitializedArray<byte>(BlockLength, pinned: true);
    }

    public void Return(byte[] block)
    {
        _out--;
        _free.Push(block);
    }

    /// <summary>Drops what was not needed since the last call.</summary>
    public void Trim()
    {
        while (_free.Count > 0 && _out + _free.Count > _peakOut)
            _free.Pop();
        _peakOut = _out;
    }

    /// <summary>Drops all that is free.</summary>
    public void Reclaim()
    {
        _free.Clear();
        _peakOut = _out;
    }
}
