using Tunnel.Protocol.Mux;

namespace Tunnel.App.Runtime;

/// <summary>The cap on streams over all sessions (max_streams_total).</summary>
public sealed class StreamCap(int maximum) : IStreamAdmission
{
    private int _count;
    private long _refused;

    public int Count => Volatile.Read(ref _count);

    public long Refused => Interlocked.Read(ref _refused);

    public bool TryAdmit()
    {
        if (Interlocked.Increment(ref _count) <= maximum)
            return true;
        Interlocked.Decrement(ref _count);
        Interlocked.Increment(ref _refused);
        return false;
    }

    public void Release() => Interlocked.Decrement(ref _count);
}
