namespace Tunnel.Ctl.Dump.Decoding;

/// <summary>
/// Puts one direction of a conversation in order. Bounded: what waits for too long, or what the peer acknowledged although it was
/// never captured, is given up, and what follows begins with a gap.
/// </summary>
internal sealed class SegmentOrder
{
    private const int MaximumWaiting = 512;

    private readonly Dictionary<uint, byte[]> _waiting = [];
    private bool _gap;

    /// <summary>The number that is due; null before the first segment.</summary>
    public uint? Next { get; private set; }

    /// <summary>Takes a PUSH; what is in order then can be had from <see cref="TryTake"/>.</summary>
    public SegmentPlace Add(uint number, ReadOnlySpan<byte> data)
    {
        if (Next is null)
        {
            Next = number;
            _gap = number != 0;
        }

        int ahead = (int)(number - Next.Value);
        if (ahead < 0 || !_waiting.TryAdd(number, data.ToArray()))
            return SegmentPlace.Again;
        if (_waiting.Count > MaximumWaiting)
            Skip();
        return number == Next ? SegmentPlace.Next : SegmentPlace.Waits;
    }

    /// <summary>The peer has everything below this number: what of it was not captured will not come again.</summary>
    public void PeerHas(uint unacknowledged)
    {
        if (Next is { } next && (int)(unacknowledged - next) > 0 && !_waiting.ContainsKey(next) && _waiting.Count > 0)
            Skip();
    }

    /// <summary>The next segment in order.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="data">Its bytes.</param>
    /// <param name="gap">Something is missing in front of it.</param>
    public bool TryTake(out uint number, out byte[] data, out bool gap)
    {
        (number, gap) = (Next ?? 0, _gap);
        if (Next is null || !_waiting.Remove(number, out data!))
        {
            data = [];
            return false;
        }

        _gap = false;
        Next = number + 1;
        return true;
    }

    private void Skip()
    {
        uint next = Next!.Value;
        Next = next + _waiting.Keys.Min(number => number - next);
        _gap = true;
    }
}
