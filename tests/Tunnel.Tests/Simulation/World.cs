using Tunnel.Links.Memory;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Primitives;

namespace Tunnel.Tests.Simulation;

/// <summary>Two ends, two wires and one virtual clock. Nothing in it knows real time.</summary>
internal sealed class World : IDisposable
{
    /// <summary>After the faults everything must finish within this: a few of the longest timeouts.</summary>
    private const long GraceNanoseconds = 300_000_000_000;

    private readonly Scenario _scenario;
    private readonly MemoryWire _up;
    private readonly MemoryWire _down;
    private readonly SimulatedEnd _client;
    private readonly SimulatedEnd _server;
    private readonly Queue<StreamPlan> _toOpen;
    private readonly Queue<PathChange> _toChange;
    private readonly byte[] _datagram = new byte[KcpEngine.LargestDatagram];
    private Instant _now;
    private bool _faultsStopped;

    public World(Scenario scenario)
    {
        _scenario = scenario;
        _now = new Instant(scenario.StartNanoseconds);
        _up = new MemoryWire(scenario.Up, scenario.Seed * 2 + 1);
        _down = new MemoryWire(scenario.Down, scenario.Seed * 2 + 2);
        var plans = new Dictionary<uint, StreamPlan>();
        _client = new SimulatedEnd(scenario.Client, Cipher(1), true, _up, plans, scenario.Seed + 1, _now);
        _server = new SimulatedEnd(scenario.Server, Cipher(2), false, _down, plans, scenario.Seed + 2, _now);
        _toChange = new Queue<PathChange>(scenario.PathChanges);
        if (scenario.LinkMtu != 0)
        {
            _client.Session.ProbePath(scenario.LinkMtu, _now);
            _server.Session.ProbePath(scenario.LinkMtu, _now);
            _client.Run(_now);
            _server.Run(_now);
        }

        _toOpen = new Queue<StreamPlan>(scenario.Streams.OrderBy(s => s.OpenAt));
    }

    private Instant FaultsStopAt => new(_scenario.StartNanoseconds + _scenario.FaultNanoseconds);

    private bool IsFinished => _toOpen.Count == 0 && _faultsStopped
        && _client.StreamsDone == _scenario.Streams.Count && _server.StreamsDone == _scenario.Streams.Count;

    /// <summary>Runs until everything was said and heard, and then until nothing is left in flight.</summary>
    public void Run()
    {
        Instant limit = new(FaultsStopAt.Nanoseconds + GraceNanoseconds);
        while (!IsFinished)
        {
            Step();
            if (_now > limit)
                Assert.Fail($"{_scenario}: not finished: {string.Join("; ", _client.States.Concat(_server.States))}; wires {_up.Counters} {_down.Counters}");
        }

        Instant rest = new(_now.Nanoseconds + GraceNanoseconds);
        while (_now < rest && !IsAtRest)
            Step();
        Assert.True(IsAtRest, $"{_scenario}: in flight {_client.Session.Kcp.InFlight} and {_server.Session.Kcp.InFlight}");
        CheckClosedIsSilent(_client);
        CheckClosedIsSilent(_server);
    }

    public void Dispose()
    {
        _client.Dispose();
        _server.Dispose();
    }

    private bool IsAtRest => _client.Session.Kcp.InFlight == 0 && _server.Session.Kcp.InFlight == 0
        && _client.Session.Mux.StreamCount == 0 && _server.Session.Mux.StreamCount == 0
        && _client.Session.Mux.Buffered == 0 && _server.Session.Mux.Buffered == 0;

    private void Step()
    {
        Instant next = Instant.Min(Instant.Min(_client.Next, _server.Next), new Instant(Math.Min(_up.NextArrival, _down.NextArrival)));
        if (_toOpen.TryPeek(out StreamPlan? plan))
            next = Instant.Min(next, OpensAt(plan));
        if (_toChange.TryPeek(out PathChange change))
            next = Instant.Min(next, ChangesAt(change));
        if (!_faultsStopped)
            next = Instant.Min(next, FaultsStopAt);
        Assert.True(next > _now || next == _now, "time goes back");
        _now = next;
        if (!_faultsStopped && _now >= FaultsStopAt)
            StopFaults();
        while (_toChange.TryPeek(out change) && ChangesAt(change) <= _now)
            (_toChange.Dequeue().Up ? _up : _down).Options.Mtu = change.Mtu;
        while (_toOpen.TryPeek(out plan) && OpensAt(plan) <= _now)
            (_toOpen.Dequeue().ByClient ? _client : _server).Open(plan, _now);
        Deliver(_up, _server);
        Deliver(_down, _client);
        _client.Run(_now);
        _server.Run(_now);
    }

    private void Deliver(MemoryWire wire, SimulatedEnd end)
    {
        while (wire.TryTake(_now.Nanoseconds, _datagram, out int length))
            end.Receive(_datagram.AsSpan(0, length), _now);
    }

    private void StopFaults()
    {
        _faultsStopped = true;
        _up.Options.StopFaults();
        _down.Options.StopFaults();
    }

    private Instant OpensAt(StreamPlan plan) => new Instant(_scenario.StartNanoseconds).AddMilliseconds(plan.OpenAt);

    private Instant ChangesAt(PathChange change) => new(_scenario.StartNanoseconds + change.AfterNanoseconds);

    private void CheckClosedIsSilent(SimulatedEnd end)
    {
        end.Session.Mux.Open();
        end.Session.Dispose();
        Assert.True(end.Session.IsClosed);
        Assert.Equal(Instant.Never, end.Session.Deadline);
        end.Session.Advance(_now.AddMilliseconds(100_000));
        Assert.True(end.Session.Transmit(new byte[65_536], 0, _now.AddMilliseconds(100_000)).IsEmpty);
        Assert.Null(end.Session.Mux.Open());
    }

    private DatagramCipher Cipher(byte seed) =>
        CipherSuite.Create(_scenario.Cipher, new byte[32], new NonceGenerator([.. Enumerable.Repeat(seed, NonceGenerator.SeedLength)]));
}
