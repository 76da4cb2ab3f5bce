namespace Tunnel.Links.Native;

/// <summary>A link's counters: the receiver writes some, all senders the others; each batch adds once.</summary>
internal sealed class LinkMeter
{
    private long _packetsIn;
    private long _bytesIn;
    private long _packetsOut;
    private long _bytesOut;
    private long _sendErrors;
    private long _truncated;

    internal void Received(int packets, long bytes)
    {
        Interlocked.Add(ref _packetsIn, packets);
        Interlocked.Add(ref _bytesIn, bytes);
    }

    internal void Sent(int packets, long bytes, int errors)
    {
        Interlocked.Add(ref _packetsOut, packets);
        Interlocked.Add(ref _bytesOut, bytes);
        if (errors > 0)
            Interlocked.Add(ref _sendErrors, errors);
    }

    internal void CutShort(int packets) => Interlocked.Add(ref _truncated, packets);

    internal LinkCounters Read(long kernelDrops) => new(
        Interlocked.Read(ref _packetsIn),
        Interlocked.Read(ref _bytesIn),
        Interlocked.Read(ref _packetsOut),
        Interlocked.Read(ref _bytesOut),
        Interlocked.Read(ref _sendErrors),
        kernelDrops,
        Interlocked.Read(ref _truncated));
}
