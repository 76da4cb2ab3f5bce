namespace Tunnel.App.Services;

/// <summary>Why a datagram went nowhere.</summary>
public enum UdpDrop
{
    /// <summary>Empty, or larger than the peer's window or the socket takes.</summary>
    Impossible,

    /// <summary>Datagrams came faster than the tunnel takes them.</summary>
    QueueFull,

    /// <summary>SOCKS5: it is a fragment, which nobody sends and this proxy does not put together.</summary>
    Fragment,

    /// <summary>SOCKS5: its header is not one.</summary>
    Malformed,

    /// <summary>SOCKS5: it is not from the client that asked for the association.</summary>
    Stranger,

    /// <summary>The stream could not be opened or ended while datagrams waited.</summary>
    NoStream,

    /// <summary>The system would not send it.</summary>
    Socket,
}

/// <summary>Why a flow of datagrams ended.</summary>
public enum UdpFlowEnd
{
    /// <summary>Either end closed it, or its session ended, or no stream could be had.</summary>
    Closed,

    /// <summary>It was silent for too long.</summary>
    Idle,

    /// <summary>It was a short exchange, all of it answered.</summary>
    Answered,

    /// <summary>There were too many, and it was the least wanted.</summary>
    Expelled,
}

/// <summary>What the relays of datagrams did, over all of a process. Thread-safe.</summary>
public sealed class UdpMeter
{
    private readonly long[] _drops = new long[Enum.GetValues<UdpDrop>().Length];
    private readonly long[] _ends = new long[Enum.GetValues<UdpFlowEnd>().Length];
    private long _toTunnel;
    private long _fromTunnel;
    private int _flows;

    /// <summary>Datagrams that went into streams.</summary>
    public long ToTunnel => Interlocked.Read(ref _toTunnel);

    /// <summary>Datagrams that came out of streams and were sent on.</summary>
    public long FromTunnel => Interlocked.Read(ref _fromTunnel);

    /// <summary>Streams of datagrams that are open.</summary>
    public int Flows => Volatile.Read(ref _flows);

    public long GetDrops(UdpDrop reason) => Interlocked.Read(ref _drops[(int)reason]);

    /// <summary>Flows that ended for a reason.</summary>
    public long GetEnds(UdpFlowEnd reason) => Interlocked.Read(ref _ends[(int)reason]);

    public void Drop(UdpDrop reason) => Interlocked.Increment(ref _drops[(int)reason]);

    internal void CountToTunnel() => Interlocked.Increment(ref _toTunnel);

    internal void CountFromTunnel() => Interlocked.Increment(ref _fromTunnel);

    internal void FlowBegan() => Interlocked.Increment(ref _flows);

    internal void FlowEnded(UdpFlowEnd why)
    {
        Interlocked.Decrement(ref _flows);
        Interlocked.Increment(ref _ends[(int)why]);
    }

    /// <summary>The drops there were, by reason; empty when there were none.</summary>
    public override string ToString()
    {
        IEnumerable<UdpDrop> reasons = Enum.GetValues<UdpDrop>().Where(r => GetDrops(r) != 0);
        string drops = string.Join(", ", reasons.Select(r => $"{r} {GetDrops(r)}"));
        return $"datagrams into streams {ToTunnel}, out of streams {FromTunnel}, dropped: {(drops.Length == 0 ? "none" : drops)}";
    }
}
