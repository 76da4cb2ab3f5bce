using Tunnel.Links.Memory;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;

namespace Tunnel.Tests.Simulation;

/// <summary>A session, the wire it sends on and the streams of its application.</summary>
internal sealed class SimulatedEnd : IDisposable
{
    private const int Headroom = 54;
    private const int MaximumIdleRounds = 100_000;

    private readonly MemoryWire _wire;
    private readonly Dictionary<uint, StreamPlan> _plans;
    private readonly List<SimulatedStream> _streams = [];
    private readonly byte[] _buffer = new byte[65_536];
    private Prng _random;

    /// <param name="options">The session's.</param>
    /// <param name="cipher">The session's.</param>
    /// <param name="isClient">Which end this is.</param>
    /// <param name="wire">What it sends on.</param>
    /// <param name="plans">By stream number; shared by both ends.</param>
    /// <param name="seed">For what the end may choose.</param>
    /// <param name="now">The clock.</param>
    public SimulatedEnd(
        SessionOptions options,
        DatagramCipher cipher,
        bool isClient,
        MemoryWire wire,
        Dictionary<uint, StreamPlan> plans,
        ulong seed,
        Instant now)
    {
        _wire = wire;
        _plans = plans;
        _random = new Prng(seed);
        Session = new Session(options, cipher, 0xC0FFEE, isClient, now);
    }

    public Session Session { get; }

    public int StreamsDone => _streams.Count(s => s.IsDone);

    public IEnumerable<string> States => [.. _streams.Where(s => !s.IsDone).Select(s => s.State), EngineState];

    public Instant Next
    {
        get
        {
            long action = long.MaxValue;
            foreach (SimulatedStream stream in _streams)
                action = Math.Min(action, stream.NextAction);
            Instant next = Session.Deadline;
            return action == long.MaxValue ? next : Instant.Min(next, Instant.FromMilliseconds(action));
        }
    }

    private string EngineState =>
        $"[in flight {Session.Kcp.InFlight}, window {Session.Kcp.Window}, waiting {Session.Kcp.WaitingForUser}, "
        + $"buffered {Session.Mux.Buffered}, output {Session.Mux.HasOutput}, "
        + $"deadline {Session.Kcp.Deadline}, mtu {Session.Mtu}, {Session.Kcp.Counters.PathBlackHoles} black holes, "
        + $"{Session.Kcp.Counters.Retransmits} retransmissions, closed {Session.Mux.CloseReason}]";

    public void Open(StreamPlan plan, Instant now)
    {
        MuxStream? stream = Session.Mux.Open();
        Assert.NotNull(stream);
        _plans.Add(stream.Id, plan);
        Add(stream, plan, true, now);
    }

    public void Receive(ReadOnlySpan<byte> datagram, Instant now) => Session.Receive(datagram, now);

    /// <summary>Everything that is due: the session's timers, the application, and the draining that the contract asks for.</summary>
    public void Run(Instant now)
    {
        Session.Advance(now);
        Drain(now);
        for (int round = 0; Next <= now; round++)
        {
            Assert.True(round < MaximumIdleRounds, "the end never comes to rest");
            Session.Advance(now);
            foreach (SimulatedStream stream in _streams)
                stream.Act(now.Milliseconds);
            Drain(now);
        }
    }

    public void Dispose() => Session.Dispose();

    private void Add(MuxStream stream, StreamPlan plan, bool opener, Instant now)
    {
        var simulated = new SimulatedStream(Session, stream, plan, opener, now.Milliseconds);
        stream.Tag = simulated;
        _streams.Add(simulated);
    }

    private void Drain(Instant now)
    {
        TakeEvents(now);
        while (Transmit(now))
            TakeEvents(now);
    }

    private bool Transmit(Instant now)
    {
        // Some links take one datagram a call, some many.
        int room = _random.Chance(0.5) ? _buffer.Length : Headroom + Session.LongestRun;
        int longest = Session.LongestRun;
        TransmitRun run = Session.Transmit(_buffer.AsSpan(0, room), Headroom, now);
        for (int i = 0; i < run.Count; i++)
        {
            Span<byte> datagram = _buffer.AsSpan(run[i])[Headroom..];
            Assert.InRange(datagram.Length, 1, longest);
            _wire.Offer(datagram, now.Nanoseconds);
        }

        return !run.IsEmpty;
    }

    private void TakeEvents(Instant now)
    {
        while (Session.TryTakeEvent(out MuxEvent e))
        {
            if (e.Kind == MuxEventKind.Opened)
                Add(e.Stream, _plans[e.Stream.Id], false, now);
            else if (e.Kind == MuxEventKind.Readable)
                ((SimulatedStream)e.Stream.Tag!).OnReadable(now.Milliseconds);
            else
                ((SimulatedStream)e.Stream.Tag!).OnWritten(now.Milliseconds);
        }
    }
}
