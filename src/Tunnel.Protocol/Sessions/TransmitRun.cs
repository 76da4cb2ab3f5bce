namespace Tunnel.Protocol.Sessions;

/// <summary>
/// How a run of datagrams lies in the caller's buffer: each with room in front for what carries it, one after the other.
/// </summary>
/// <param name="Count">Datagrams.</param>
/// <param name="Stride">Bytes from one datagram's headroom to the next one's: headroom and a full datagram.</param>
/// <param name="Length">Bytes of the whole run; the last datagram may be shorter than the others.</param>
public readonly record struct TransmitRun(int Count, int Stride, int Length)
{
    public bool IsEmpty => Count == 0;

    /// <summary>Where datagram <paramref name="index"/> with its headroom lies.</summary>
    public Range this[int index] => (index * Stride)..Math.Min((index + 1) * Stride, Length);
}
