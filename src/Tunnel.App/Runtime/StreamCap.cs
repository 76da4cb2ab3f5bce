using Microsoft.Extensions.Logging;
using Tunnel.App.Config;
using Tunnel.Protocol.Mux;

namespace Tunnel.App.Runtime;

/// <summary>
/// What all sessions of a process may have together: streams, and memory for their windows. The settings may change at any time; what
/// is over a new cap already stays.
/// </summary>
/// <param name="config">The settings now.</param>
/// <param name="budget">The memory.</param>
/// <param name="limits">Where it counts when a bound is reached.</param>
public sealed class StreamCap(Func<KcpConfig> config, MemoryBudget budget, LimitMeter limits) : IStreamAdmission
{
    private int _count;

    /// <inheritdoc/>
    public int WindowShift => budget.WindowShift;

    /// <inheritdoc/>
    public int MaxStreams => config().MaxStreamsPerSession;

    public int Count => Volatile.Read(ref _count);

    /// <inheritdoc/>
    public StreamAdmission Admit(int streams)
    {
        KcpConfig kcp = config();
        if (streams >= kcp.MaxStreamsPerSession)
            return Refuse(LimitKind.MaxStreamsPerSession, StreamAdmission.SessionIsFull);
        if (!budget.MakeRoom())
            return Refuse(LimitKind.Memory, StreamAdmission.OutOfMemory);
        if (Interlocked.Increment(ref _count) <= kcp.MaxStreamsTotal)
            return StreamAdmission.Admitted;
        Release();
        return Refuse(LimitKind.MaxStreamsTotal, StreamAdmission.AllAreFull);
    }

    public void Release() => Interlocked.Decrement(ref _count);

    /// <inheritdoc/>
    public void OnBound(BufferBound bound)
    {
        if (bound == BufferBound.StreamFull)
            limits.Strike(LimitKind.StreamBuf, "a stream waits for its reader", LogLevel.Debug);
        else if (bound == BufferBound.SessionFull)
            limits.Strike(LimitKind.SmuxBuf, "a session waits for its readers");
        else
            limits.Strike(LimitKind.SmuxBuf, "a peer sent more than it was granted, and its session ended");
    }

    private StreamAdmission Refuse(LimitKind limit, StreamAdmission why)
    {
        limits.Strike(limit, "a stream was refused");
        return why;
    }
}
