namespace Tunnel.Protocol.Kcp;

/// <summary>
/// The newest acknowledged transmissions, one a datagram of acknowledgements: a segment transmitted before all of them has been
/// passed by that many times. This is KCP's fastack without a counter in every segment.
/// </summary>
internal readonly struct PassedByMarks(int count)
{
    private readonly ulong[] _marks = new ulong[count];

    /// <summary>The oldest of the marks; 0 until there are enough.</summary>
    public ulong Lowest => _marks[^1];

    /// <summary>The newest of the marks; 0 until there is one.</summary>
    public ulong Highest => _marks[0];

    public void Add(ulong order)
    {
        // Kept sorted, newest first; the list is as long as the "resend" knob, a handful.
        for (int i = 0; i < _marks.Length; i++)
        {
            if (order > _marks[i])
                (order, _marks[i]) = (_marks[i], order);
        }
    }
}
