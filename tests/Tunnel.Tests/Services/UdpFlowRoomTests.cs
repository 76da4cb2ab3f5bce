using Tunnel.App.Services;
using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Services;

/// <summary>Which flow gives its place, against a look at all of them; and what finding it costs.</summary>
public class UdpFlowRoomTests
{
    private const int Dns = 53, Ordinary = 5000;

    private static readonly UdpMeter Meter = new();

    // Flows begin now; everything else is at times of our own, later than that.
    private long _now = Environment.TickCount64 + 1000;

    /// <summary>Exchanges, questions without an answer and conversations, before and after a reload that changed how long they are kept.</summary>
    [Fact]
    public void ItIsTheOneThatALookAtAllOfThemWouldFind() => TestSeed.Run(20, seed =>
    {
        var random = new Prng(seed);
        var limits = new UdpLimits { MaxFlows = 40 };
        var room = new UdpFlowRoom(() => limits, null);
        var flows = new List<UdpFlow>();
        for (int i = 0; i < 2000; i++)
        {
            if (i == 1000)
                limits = limits with { Idle = TimeSpan.FromSeconds(20), Answered = TimeSpan.FromSeconds(7), MaxFlows = 30 };
            if (flows.Count == 0 || random.Next(4) == 0)
                Enter(flows, limits, room, random.Next(2) == 0 ? Dns : Ordinary);
            else
                Pass(flows[random.Next(flows.Count)], room, sent: random.Next(2) == 0);
            if (random.Next(50) == 0)
                Leave(flows, random.Next(flows.Count), room);
        }
    });

    /// <summary>Names that are looked up from a new port each, while 50,000 others are under way: a few looks for each, not one at everybody.</summary>
    [Fact]
    public void AFullRoomIsNotSearchedThrough()
    {
        const int most = 50_000, more = 10_000;
        var limits = new UdpLimits { MaxFlows = most, Queue = 1 };
        var room = new UdpFlowRoom(() => limits, null);
        var flows = new List<UdpFlow>();
        for (int i = 0; i < most + more; i++)
        {
            flows.Add(Begin(limits, room, i % 2 == 0 ? Dns : Ordinary));
            if (i % 3 == 0)
                Pass(flows[^1], room, sent: false);
        }

        Assert.Equal(more, flows.Count(flow => flow.HasEnded));
        Assert.InRange(room.Looks, more, 3 * more);
    }

    [Fact]
    public void ADatagramAllocatesNothing()
    {
        var limits = new UdpLimits();
        var room = new UdpFlowRoom(() => limits, null);
        UdpFlow[] flows = [Begin(limits, room, Dns), Begin(limits, room, Dns)];
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int i = 0; i < 1000; i++)
                Pass(flows[i % 2], room, sent: i % 4 < 2);
        }));
    }

    /// <summary>Whoever has given its place is not put back by what is still under way.</summary>
    [Fact]
    public void WhoHasLeftStaysOut()
    {
        var limits = new UdpLimits { MaxFlows = 1 };
        var room = new UdpFlowRoom(() => limits, null);
        UdpFlow first = Begin(limits, room, Dns), second = Begin(limits, room, Dns);
        Pass(first, room, sent: true);
        room.Leave(first);
        Assert.Equal((true, false), (first.HasEnded, second.HasEnded));
        room.Leave(second);
        UdpFlow third = Begin(limits, room, Dns);
        Assert.False(third.HasEnded);
    }

    private UdpFlow Begin(UdpLimits limits, UdpFlowRoom room, int port)
    {
        var flow = new UdpFlow(limits, port, Meter, room);
        flow.Activity.CountSent(++_now);
        room.Enter(flow);
        return flow;
    }

    private void Pass(UdpFlow flow, UdpFlowRoom room, bool sent)
    {
        // No two at one time: which of two equals goes is nobody's concern.
        _now += 7;
        if (sent)
            flow.Activity.CountSent(_now);
        else
            flow.Activity.CountReceived(_now);
        room.Touch(flow);
    }

    private void Enter(List<UdpFlow> flows, UdpLimits limits, UdpFlowRoom room, int port)
    {
        List<UdpFlow> wanted = [.. flows.OrderBy(flow => flow.Activity.Worth).Skip(Math.Max(0, flows.Count + 1 - limits.MaxFlows))];
        UdpFlow entered = Begin(limits, room, port);
        flows.RemoveAll(flow => flow.HasEnded);
        Assert.Equal(wanted, flows.OrderBy(flow => flow.Activity.Worth));
        flows.Add(entered);
    }

    private static void Leave(List<UdpFlow> flows, int which, UdpFlowRoom room)
    {
        room.Leave(flows[which]);
        flows.RemoveAt(which);
    }
}
