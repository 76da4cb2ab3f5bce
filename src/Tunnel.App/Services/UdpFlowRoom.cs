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

    // By the silence for which they are kept, in each the quietest first: so the least wanted is at the head of one. There are three such
    // silences, and as many more after a reload that changed them.
    private readonly Dictionary<TimeSpan, LinkedList<UdpFlow>> _byPatience = [];
    private int _count;

    /// <summary>Flows that were looked at to find the least wanted, all told.</summary>
    internal long Looks { get; private set; }

    /// <summary>Takes a flow in; what has to make room for it ends.</summary>
    internal void Enter(UdpFlow flow)
    {
        int maximum = limits().MaxFlows;
        List<UdpFlow> expelled = [];
        lock (_lock)
        {
            // More than one only when the limit has become smaller.
            while (_count >= maximum && FindLeast() is { } least)
            {
                Take(least);
                expelled.Add(least);
            }

            Put(flow);
        }

        expelled.ForEach(Expel);
    }

    /// <summary>A datagram went through the flow, one way or the other.</summary>
    internal void Touch(UdpFlow flow)
    {
        // Nearly always it is of the same millisecond as the one before.
        if (flow.Activity.Worth == flow.Place.Worth)
            return;
        lock (_lock)
        {
            if (Take(flow))
                Put(flow);
        }
    }

    internal void Leave(UdpFlow flow)
    {
        lock (_lock)
            Take(flow);
    }

    private UdpFlow? FindLeast()
    {
        UdpFlow? least = null;
        foreach (LinkedList<UdpFlow> flows in _byPatience.Values)
        {
            if (flows.First is not { Value: var quietest })
                continue;
            Looks++;
            if (least is null || quietest.Place.Worth < least.Place.Worth)
                least = quietest;
        }

        return least;
    }

    private void Put(UdpFlow flow)
    {
        TimeSpan patience = flow.Activity.Kept;
        if (!_byPatience.TryGetValue(patience, out LinkedList<UdpFlow>? flows))
            _byPatience[patience] = flows = new LinkedList<UdpFlow>();
        // By the same silence, though a datagram may make it another just now: that one's thread sees the difference, and puts it right.
        flow.Place.Worth = flow.Activity.LastAt + (long)patience.TotalMilliseconds;
        flows.AddLast(flow.Place.Node);
        _count++;
    }

    /// <summary>False when it is not there, or no more.</summary>
    private bool Take(UdpFlow flow)
    {
        if (flow.Place.Node.List is not { } flows)
            return false;
        flows.Remove(flow.Place.Node);
        _count--;
        return true;
    }

    private void Expel(UdpFlow flow)
    {
        if (!flow.Activity.IsAnswered)
            strikes?.Strike(LimitKind.MaxFlows, "the least wanted flow of datagrams gave its place");
        flow.End(UdpFlowEnd.Expelled);
    }
}

/// <summary>A flow's place in its room.</summary>
internal sealed class UdpFlowPlace(UdpFlow flow)
{
    private long _worth;

    /// <summary>Moved from list to list, so that a datagram allocates nothing.</summary>
    public LinkedListNode<UdpFlow> Node { get; } = new(flow);

    /// <summary>What it was worth when it was put there (<see cref="UdpActivity.Worth"/>). May be read by any thread.</summary>
    public long Worth
    {
        get => Volatile.Read(ref _worth);
        set => Volatile.Write(ref _worth, value);
    }
}
