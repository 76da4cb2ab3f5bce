namespace Tunnel.Links.Native;

/// <summary>Makes a 64-bit count of a kernel's 32-bit one, which wraps and starts again when the socket is opened anew. One owner at a time.</summary>
internal struct WrappingCounter
{
    private uint _last;

    internal long Total { get; private set; }

    internal void Observe(uint value)
    {
        Total += unchecked(value - _last);
        _last = value;
    }

    /// <summary>The source starts again at zero.</summary>
    internal void Restart() => _last = 0;
}
