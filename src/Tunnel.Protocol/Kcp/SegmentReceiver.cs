using Tunnel.Protocol.Primitives;

namespace Tunnel.Protocol.Kcp;

/// <summary>
/// What the peer sends: put in order, put together from parts, handed up, and acknowledged. Nothing here knows what this end sends.
/// </summary>
internal sealed class SegmentReceiver(KcpOptions options, IOrderedByteUser user, uint firstNumber)
{
    private readonly ReceiveWindow _window = new(options.ReceiveWindow, options.SegmentSize, firstNumber);
    private PartAssembly _parts = new();
    private AckList _acks = new();

    /// <summary>All below it have arrived (una).</summary>
    public uint Next => _window.Next;

    /// <summary>Segments that there is room for.</summary>
    public int Free => _window.Free;

    /// <summary>Segments that the peer is told it may send, at most, from now on; what it was told before is still taken.</summary>
    public int GrantedWindow { get; set; } = int.MaxValue;

    /// <summary>Segments that the peer is told it may send.</summary>
    public int Window => Math.Min(_window.Free, GrantedWindow);

    /// <summary>In-order segments that the user has not taken.</summary>
    public int Waiting => _window.Waiting;

    public int MemoryUse => _window.MemoryUse + _parts.MemoryUse + _acks.MemoryUse;

    /// <summary>Acknowledgements that are owed.</summary>
    public int AckCount => _acks.Count;

    /// <summary>Segments received, duplicates included.</summary>
    public long Received { get; private set; }

    public long Duplicates { get; private set; }

    public long OutOfWindow { get; private set; }

    public void OnPush(in KcpSegment push, ReadOnlySpan<byte> data)
    {
        Received++;
        if (!_window.IsAcceptable(push.Number))
        {
            OutOfWindow++;
            return;
        }

        // Of two copies that are read at once, the first one's echo tells what happened.
        if (!_window.Contains(push.Number) || !_acks.Contains(push.Number))
            _acks.Add(push.Number, push.Timestamp);
        if (push.Number == _window.Next && _window.Waiting == 0 && !_window.HasStored && user.TryDeliver(data))
            _window.SkipNext();
        else if (_window.TryStore(push.Number, data))
            Deliver();
        else
            Duplicates++;
    }

    /// <summary>Takes a part of a segment; false when it is malformed.</summary>
    public bool OnPart(in KcpSegment segment, ReadOnlySpan<byte> data)
    {
        if (!SegmentPart.TryRead(data, out SegmentPart part, out data))
            return false;
        if (!_window.IsAcceptable(segment.Number) || _window.Contains(segment.Number))
        {
            OnPush(segment, data);
            return true;
        }

        _parts.Prune(_window);
        if (_parts.TryComplete(segment.Number, part, data, out byte[]? whole))
            OnPush(segment, whole);
        return true;
    }

    /// <summary>Hands up what is in order, as far as the user has room.</summary>
    public void Deliver()
    {
        _window.Advance();
        while (_window.TryPeek(out ReadOnlySpan<byte> data) && user.TryDeliver(data))
        {
            _window.Take();
            _window.Advance();
        }
    }

    /// <summary>True when no acknowledgement is owed any more.</summary>
    public bool TryWriteAcks(ref SegmentWriter writer) => _acks.TryWrite(ref writer, Next);

    public void Trim()
    {
        _window.Trim();
        _parts.Trim(_window);
        _acks.Trim();
    }

    public void Reclaim()
    {
        Trim();
        _window.Reclaim();
    }
}
