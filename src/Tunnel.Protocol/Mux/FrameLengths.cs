namespace Tunnel.Protocol.Mux;

/// <summary>
/// Where the frames in a stream's queue of bytes end, for streams whose frames are datagrams. A frame counts once all of it is there.
/// </summary>
internal sealed class FrameLengths
{
    /// <summary>Frames of a byte each would otherwise cost more than the bytes that windows bound.</summary>
    public const int Maximum = 4096;

    private Queue<ushort>? _rest;
    private int _first;
    private int _unfinished;

    /// <summary>Whole frames that can be read.</summary>
    public int Count => (_rest?.Count ?? 0) + (_first != 0 ? 1 : 0);

    /// <summary>Bytes of a frame came.</summary>
    public void Add(int count) => _unfinished += count;

    /// <summary>They were its last. A frame of which nothing is left to read is none.</summary>
    public void End()
    {
        if (_unfinished == 0)
            return;
        if (_first == 0)
            _first = _unfinished;
        else
            (_rest ??= new Queue<ushort>()).Enqueue((ushort)_unfinished);
        _unfinished = 0;
    }

    /// <summary>Takes the first frame's length; there is one.</summary>
    public int Take()
    {
        int length = _first;
        _first = _rest is { Count: > 0 } rest ? rest.Dequeue() : 0;
        return length;
    }

    /// <summary>So many bytes were read without regard to frames.</summary>
    public void Skip(int count)
    {
        while (count >= _first && _first != 0)
            count -= Take();
        if (_first != 0)
            _first -= count;
        else
            _unfinished -= count;
    }
}
