using Tunnel.Links.Memory;
using Tunnel.Protocol.Kcp;

namespace Tunnel.Tests.Kcp;

/// <summary>Two engines, a wire each way and a virtual clock in milliseconds.</summary>
internal sealed class EnginePair
{
    private const long NanosecondsPerMillisecond = 1_000_000;

    private readonly byte[] _buffer = new byte[KcpEngine.LargestDatagram];

    public EnginePair(KcpOptions a, KcpOptions b, MemoryWireOptions wire, ulong seed, uint firstNumber = 0, long start = 0)
    {
        Now = start;
        A = new KcpEngine(a, 1, UserA, firstNumber);
        B = new KcpEngine(b, 1, UserB, firstNumber);
        WireA = new MemoryWire(wire, seed * 2);
        WireB = new MemoryWire(wire.Clone(), seed * 2 + 1);
    }

    public KcpEngine A { get; }

    public KcpEngine B { get; }

    public ScriptedUser UserA { get; } = new(1, 2);

    public ScriptedUser UserB { get; } = new(2, 1);

    /// <summary>What A sends on.</summary>
    public MemoryWire WireA { get; }

    public MemoryWire WireB { get; }

    public long Now { get; private set; }

    /// <summary>Runs until the condition holds; fails when nothing is left to happen or the limit (milliseconds) is reached.</summary>
    public void RunUntil(Func<bool> condition, long limit)
    {
        long end = Now + limit;
        Drain();
        while (!condition())
        {
            long next = Next;
            Assert.InRange(next, Now, end);
            Step(next);
        }
    }

    /// <summary>Runs for so many milliseconds, whatever happens or not.</summary>
    public void RunFor(long milliseconds)
    {
        long end = Now + milliseconds;
        Drain();
        while (Now < end)
            Step(Math.Min(Next, end));
    }

    private long Next
    {
        get
        {
            long arrival = Math.Min(WireA.NextArrival, WireB.NextArrival);
            long next = arrival == long.MaxValue ? long.MaxValue : (arrival + NanosecondsPerMillisecond - 1) / NanosecondsPerMillisecond;
            return Math.Min(next, Math.Min(A.Deadline, B.Deadline));
        }
    }

    private void Step(long now)
    {
        Now = now;
        Deliver(WireA, B);
        Deliver(WireB, A);
        A.Advance(Now);
        B.Advance(Now);
        Drain();
    }

    private void Deliver(MemoryWire wire, KcpEngine engine)
    {
        while (wire.TryTake(Now * NanosecondsPerMillisecond, _buffer, out int length))
            Assert.True(engine.Receive(_buffer.AsSpan(0, length), Now));
    }

    private void Drain()
    {
        Drain(A, WireA);
        Drain(B, WireB);
    }

    private void Drain(KcpEngine engine, MemoryWire wire)
    {
        for (int length; (length = engine.ProbeLength) != 0;)
        {
            engine.TransmitProbe(_buffer.AsSpan(0, length), Now);
            wire.Offer(_buffer.AsSpan(0, length), Now * NanosecondsPerMillisecond);
        }

        for (int length; (length = engine.Transmit(_buffer, Now)) != 0;)
            wire.Offer(_buffer.AsSpan(0, length), Now * NanosecondsPerMillisecond);
    }
}
