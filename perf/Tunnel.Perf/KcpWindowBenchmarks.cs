using BenchmarkDotNet.Attributes;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Primitives;

namespace Tunnel.Perf;

/// <summary>
/// What one call of an engine costs that has a whole window in flight, or waiting for a gap to close: input and flush apart. All of it
/// has to be the same for every window.
/// </summary>
public class KcpWindowBenchmarks
{
    private const int Segments = 32_768;
    private const int SegmentSize = Payload.Datagram - KcpSegment.HeaderLength;
    private const uint Conv = 1;
    private const long Now = 1000;

    private readonly byte[] _out = new byte[Payload.Datagram];
    private readonly byte[] _push = Payload.Create(Payload.Datagram);
    private readonly byte[] _ack = new byte[KcpSegment.HeaderLength];
    private KcpEngine _full = null!;
    private KcpEngine _receiver = null!;
    private uint _acknowledged;
    private uint _pushed;

    [Params(128, 512, 2048, 8192, 32_768)]
    public int Window { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        var options = new KcpOptions { Mtu = Payload.Datagram, SendWindow = Window, ReceiveWindow = Window };
        _receiver = new KcpEngine(options, Conv, new Endless());
        _full = new KcpEngine(options, Conv, new Endless());
        Drain(_full);
        // The peer has to say first that it takes more than the window that everybody begins with.
        Acknowledge((uint)_full.InFlight - 1);
        Drain(_full);
        if (_full.InFlight != Window)
            throw new InvalidOperationException($"{_full.InFlight} segments in flight instead of {Window}");
    }

    /// <summary>A flush with everything in flight and nothing due.</summary>
    [Benchmark]
    public int FlushNothing()
    {
        _full.Advance(Now);
        return _full.Transmit(_out, Now);
    }

    /// <summary>The oldest segment is acknowledged, and the flush sends one that takes its place.</summary>
    [Benchmark, Moves(SegmentSize)]
    public int AcknowledgeAndFlush()
    {
        Acknowledge(_acknowledged + 1);
        return _full.Transmit(_out, Now);
    }

    /// <summary>Segments that arrive in order, and the acknowledgements that they cause.</summary>
    [Benchmark(OperationsPerInvoke = Segments), Moves(SegmentSize)]
    public void InputInOrder()
    {
        for (int i = 0; i < Segments; i++)
        {
            Push(_pushed++);
            if (i % 64 == 63)
                Drain(_receiver);
        }
    }

    /// <summary>A window's first segment comes last: all others wait for it, and go up together.</summary>
    [Benchmark(OperationsPerInvoke = Segments), Moves(SegmentSize)]
    public void InputBehindAGap()
    {
        for (int done = 0; done < Segments; done += Window)
        {
            for (uint i = 1; i < Window; i++)
                Push(_pushed + i);
            Push(_pushed);
            _pushed += (uint)Window;
            Drain(_receiver);
        }
    }

    private void Push(uint number)
    {
        new KcpSegment(Conv, KcpCommand.Push, 0, ushort.MaxValue, (uint)Now, number, 0, SegmentSize).Write(_push);
        _receiver.Receive(_push, Now);
    }

    private void Acknowledge(uint number)
    {
        _acknowledged = number;
        new KcpSegment(Conv, KcpCommand.Ack, 0, ushort.MaxValue, (uint)Now, number, number + 1, 0).Write(_ack);
        _full.Receive(_ack, Now);
    }

    private void Drain(KcpEngine engine)
    {
        while (engine.Transmit(_out, Now) != 0)
        {
        }
    }

    /// <summary>Has always more to send, and takes everything.</summary>
    private sealed class Endless : IOrderedByteUser
    {
        public bool HasOutput => true;

        public bool TryDeliver(ReadOnlySpan<byte> data) => true;

        public int Fill(Span<byte> destination) => destination.Length;
    }
}
