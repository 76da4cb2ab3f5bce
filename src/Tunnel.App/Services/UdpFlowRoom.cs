using Tunnel.App.Runtime;

namespace Tunnel.App.Services;

/// <summary>
/// The flows of datagrams that share one limit: a client's, or those of a server's reverse forward. Each takes a stream, and connections
/// need streams, too; so when there are too many, the least wanted ends. Thread-safe.
/// </summary>
/// <param name="limits">The settings now.</param>
/// <param name="strikes">Where it counts that the limit ended a flow that was not over.</param>
public sealed class UdpFlowRoom(Func<UdpLimits> limits, LimitMeter? strikes)
{
    private readonly Lock _lock = new();
    private readonly HashSet<UdpFlow> _flows = [];

    /// <summary>Takes a flow in; what has to make room for it ends.</summary>
    internal void Enter(UdpFlow flow)
    {
        int maximum = limits().MaxFlows;
        List<UdpFlow> expelled = [];
        lock (_lock)
        {
            // More than one only when the limit has become smaller.
            while (_flows.Count >= maximum && _flows.MinBy(f => f.Activity.Worth) is { } least)
            {
                _flows.Remove(least);
                expelled.Add(least);
            }

            _flows.Add(flow);
        }

        expelled.ForEach(Expel);
    }

    internal void Leave(UdpFlow flow)
    {
        lock (_lock)
            _flows.Remove(flow);
    }

    private void Expel(UdpFlow flow)
    {
        if (!flow.Activity.IsAnswered)
            strikes?.Strike(LimitKind.MaxFlows, "the least wanted flow of datagrams gave its place");
        flow.End(UdpFlowEnd.Expelled);
    }
}
