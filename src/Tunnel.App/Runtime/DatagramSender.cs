using Tunnel.App.Runtime.Traffic;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;
using Tunnel.Protocol.Wire;

namespace Tunnel.App.Runtime;

/// <summary>
/// How what a session has to say gets onto its path: in runs that leave with one call, each datagram behind its guard, and none longer than the
/// link takes. One owner at a time: the session's.
/// </summary>
internal sealed class DatagramSender(PeerPath path, GuardStamp? guard, Endpoint peer)
{
    /// <summary>What one send call carries at most; as much as segmentation offload takes.</summary>
    private const int RunBuffer = 64 * 1024;

    /// <summary>What a link's MTU leaves at least, lest a nonsensical one stop everything.</summary>
    private const int SmallestDatagram = 128;

    [ThreadStatic]
    private static byte[]? _buffer;

    private readonly int _guardLength = guard is null ? 0 : Guard.PrefixLength;
    private readonly Histogram _flushes = new();
    private readonly Histogram _merged = new();

    /// <summary>Where what is sent is told of; null: nowhere.</summary>
    public DatagramLog? Log { get; set; }

    /// <summary>Bytes of a sealed datagram that the link takes, as it said when it was last asked.</summary>
    public int Longest { get; private set; } = KcpEngine.LargestDatagram;

    /// <summary>Asks the link how much it takes now. One that is away will be there again as it was.</summary>
    public int AskLink()
    {
        int payload = path.LargestPayload();
        if (payload != 0)
            Longest = Math.Max(SmallestDatagram, payload - _guardLength);
        return Longest;
    }

    /// <summary>Sends all that may leave now.</summary>
    public void Drain(Session session, Instant now)
    {
        path.Prepare();
        byte[] buffer = _buffer ??= GC.AllocateUninitializedArray<byte>(RunBuffer, pinned: true);
        int sent = 0;
        while (true)
        {
            // Read anew for each run: a path may stop merging.
            int front = path.FrontRoom, headroom = path.Headroom + _guardLength, together = path.MaxTogether;
            Span<byte> room = buffer.AsSpan(front, Math.Min(buffer.Length, path.MaximumRun) - front);
            TransmitRun run = session.Transmit(room, headroom, now);
            if (run.IsEmpty)
                break;
            for (int i = 0; guard is not null && i < run.Count; i++)
                guard.Write(room.Slice(i * run.Stride + headroom - _guardLength, _guardLength));
            path.Send(buffer.AsSpan(0, front + run.Length), run.Stride);
            if (Log is { IsRead: true } log)
                log.Sent(run.Length, run.Stride, headroom - _guardLength, path.LinkName, peer);
            sent += run.Count;
            if (Math.Min(together, run.Count) is > 1 and int merged)
                _merged.Add(merged);
        }

        if (sent != 0)
            _flushes.Add(sent);
    }

    /// <summary>Adds how many datagrams left at a time.</summary>
    public void AddTo(SessionTotals totals)
    {
        _flushes.AddTo(totals.Flushes);
        _merged.AddTo(totals.Merged);
    }
}
