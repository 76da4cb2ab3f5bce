namespace Tunnel.Protocol.Crypto;

/// <summary>
/// The datagrams of one payload, without their guard prefixes. Segments that were merged on their way (GRO, LRO) leave several datagrams
/// in one payload, and the only border between them is the next one's magic and cookie. A payload that does not pass has none.
/// The guard must not be refreshed during the enumeration.
/// </summary>
public ref struct GuardSplitter
{
    private readonly Guard _guard;
    private ReadOnlySpan<byte> _rest;

    internal GuardSplitter(Guard guard, ReadOnlySpan<byte> payload)
    {
        _guard = guard;
        Verdict = guard.Check(payload);
        _rest = Verdict == GuardVerdict.Pass ? payload : default;
    }

    /// <summary>What the guard said of the payload's first prefix.</summary>
    public GuardVerdict Verdict { get; }

    /// <summary>The datagram behind its prefix; possibly empty.</summary>
    public ReadOnlySpan<byte> Current { get; private set; }

    public readonly GuardSplitter GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_rest.IsEmpty)
            return false;
        int end = _guard.FindEnd(_rest);
        Current = _rest[Guard.PrefixLength..end];
        _rest = _rest[end..];
        return true;
    }
}
