using Tunnel.Protocol.Primitives;

namespace Tunnel.App.Runtime;

/// <summary>A cap on answers a second to senders that have no session, whoever receives them. Thread-safe.</summary>
internal sealed class AnswerLimit(int perSecond)
{
    private readonly Lock _lock = new();
    private long _second;
    private int _taken;

    public bool TryTake(Instant now)
    {
        long second = now.Milliseconds / 1000;
        lock (_lock)
        {
            if (second != _second)
                (_second, _taken) = (second, 0);
            return _taken++ < perSecond;
        }
    }
}
