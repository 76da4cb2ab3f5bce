using Tunnel.Links.Memory;
using Tunnel.Protocol.Kcp;
using Tunnel.Tests.Kcp;

namespace Tunnel.Tests.Simulation;

/// <summary>
/// Downloads of several hosts over one line and its queue, by a virtual clock in milliseconds; each begins so much after the one before. All have
/// exchanged a word at the very beginning, as sessions do before their first stream, unless they are cold.
/// </summary>
internal sealed class SharedLine
{
    private const long NanosecondsPerMillisecond = 1_000_000;

    /// <summary>How long a byte takes on a sender's own gigabit line.</summary>
    private const long NanosecondsPerByte = 8;

    private readonly byte[] _buffer = new byte[KcpEngine.LargestDatagram];
    private readonly Random _random = new(1);
    private readonly List<(long At, byte[] Datagram, int Sender)> _leaving = [];
    private readonly MemoryWire _there;
    private readonly MemoryWire _back;
    private readonly Sender[] _senders;
    private readonly int _betweenStarts;
    private long _now;

    /// <param name="senders">How many.</param>
    /// <param name="line">They share it.</param>
    /// <param name="betweenStarts">Milliseconds.</param>
    /// <param name="isCold">Nothing was sent before the downloads.</param>
    public SharedLine(int senders, MemoryWireOptions line, int betweenStarts, bool isCold = false)
    {
        _betweenStarts = betweenStarts;
        (_there, _back) = (new MemoryWire(line, 2), new MemoryWire(line.Clone(), 3));
        _senders = [.. Enumerable.Range(0, senders).Select(i => new Sender((uint)i + 1, greeting: isCold ? 0 : 200))];
        Step(0);
    }

    /// <summary>In Mbit/s, of each sender, over the next so many milliseconds.</summary>
    public double[] Run(long milliseconds)
    {
        long from = _now;
        long[] before = [.. _senders.Select(s => s.Target.Received)];
        while (_now < from + milliseconds)
            Step(Math.Min(Next, from + milliseconds));
        return [.. _senders.Select((s, i) => (s.Target.Received - before[i]) * 8 / 1000.0 / milliseconds)];
    }

    /// <summary>What was sent so far, and what the queue had no room for.</summary>
    public MemoryWireCounters Counters => _there.Counters;

    /// <summary>Share of what was sent that the queue had no room for, until now.</summary>
    public double Overflow => (double)Counters.Overflowed / Counters.Offered;

    private long Next
    {
        get
        {
            long arrival = Math.Min(_there.NextArrival, _back.NextArrival);
            long next = arrival == long.MaxValue ? long.MaxValue : (arrival + NanosecondsPerMillisecond - 1) / NanosecondsPerMillisecond;
            for (int i = 0; i < _senders.Length; i++)
            {
                next = Math.Min(next, Math.Min(_senders[i].Near.Deadline, _senders[i].Far.Deadline));
                if (_senders[i].Source.ToSend == 0)
                    next = Math.Min(next, (i + 1) * _betweenStarts);
            }

            return Math.Max(next, _now);
        }
    }

    private void Step(long now)
    {
        _now = now;
        for (int i = 0; i < _senders.Length; i++)
        {
            if (_senders[i].Source.ToSend == 0 && now >= (i + 1) * _betweenStarts)
                _senders[i].Source.ToSend = long.MaxValue / 2;
        }

        Deliver(_there, s => s.Far);
        Deliver(_back, s => s.Near);
        foreach (Sender sender in _senders)
        {
            sender.Near.Advance(now);
            sender.Far.Advance(now);
        }

        Offer(_there, s => s.Near);
        Offer(_back, s => s.Far);
    }

    private void Deliver(MemoryWire wire, Func<Sender, KcpEngine> end)
    {
        while (wire.TryTake(_now * NanosecondsPerMillisecond, _buffer, out int length, out ulong sender))
            Assert.True(end(_senders[sender]).Receive(_buffer.AsSpan(0, length), _now));
    }

    /// <summary>Hosts have no clock in common: what they send in the same millisecond meets in the queue in any order.</summary>
    private void Offer(MemoryWire wire, Func<Sender, KcpEngine> end)
    {
        _leaving.Clear();
        for (int i = 0; i < _senders.Length; i++)
        {
            long at = _random.Next((int)NanosecondsPerMillisecond);
            for (int length; (length = end(_senders[i]).Transmit(_buffer, _now)) != 0; at += length * NanosecondsPerByte)
                _leaving.Add((Math.Min(at, NanosecondsPerMillisecond - 1), _buffer[..length], i));
        }

        foreach ((long at, byte[] datagram, int sender) in _leaving.OrderBy(l => l.At))
            wire.Offer(datagram, (_now * NanosecondsPerMillisecond) + at, (ulong)sender);
    }

    private sealed class Sender
    {
        private static readonly KcpOptions Options = new() { Interval = 10, SendWindow = 2048, ReceiveWindow = 2048 };

        public Sender(uint conv, int greeting)
        {
            Source.ToSend = greeting;
            Near = new KcpEngine(Options, conv, Source);
            Far = new KcpEngine(Options, conv, Target);
        }

        public ScriptedUser Source { get; } = new(1, 2);

        public ScriptedUser Target { get; } = new(2, 1);

        public KcpEngine Near { get; }

        public KcpEngine Far { get; }
    }
}
