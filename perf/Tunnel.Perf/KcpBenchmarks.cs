using BenchmarkDotNet.Attributes;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Primitives;

namespace Tunnel.Perf;

/// <summary>
/// Two engines and a wire that takes a whole window at a time: every datagram is in flight together with all others of its window,
/// which is what makes a large window dear in an engine that walks it.
/// </summary>
public class KcpBenchmarks
{
    private const int Datagrams = 32_768;
    private const int SegmentSize = Payload.Datagram - KcpSegment.HeaderLength;

    private readonly Producer _producer = new();
    private readonly Consumer _consumer = new();
    private readonly byte[] _acknowledgements = new byte[Payload.Datagram];
    private byte[] _wire = [];
    private int[] _lengths = [];
    private KcpEngine _sender = null!;
    private KcpEngine _receiver = null!;
    private Prng _faults = new(7);
    private long _now;

    [Params(128, 2048, 32_768)]
    public int Window { get; set; }

    [Params(0, 1)]
    public int LossPercent { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        var options = new KcpOptions { Mtu = Payload.Datagram, SendWindow = Window, ReceiveWindow = Window };
        _sender = new KcpEngine(options, 1, _producer);
        _receiver = new KcpEngine(options, 1, _consumer);
        _wire = new byte[Window * Payload.Datagram];
        _lengths = new int[Window];
    }

    [Benchmark(OperationsPerInvoke = Datagrams), Moves(SegmentSize)]
    public long Transfer()
    {
        _producer.Left += (long)Datagrams * SegmentSize;
        long until = _consumer.Received + _producer.Left;
        while (_consumer.Received < until)
            Exchange();
        return _consumer.Received;
    }

    private void Exchange()
    {
        _now++;
        _sender.Advance(_now);
        _receiver.Advance(_now);
        Deliver(Send());
        while (_receiver.Transmit(_acknowledgements, _now) is > 0 and int length)
            _sender.Receive(_acknowledgements.AsSpan(0, length), _now);
    }

    private int Send()
    {
        int count = 0;
        while (count < Window && _sender.Transmit(_wire.AsSpan(count * Payload.Datagram, Payload.Datagram), _now) is > 0 and int length)
            _lengths[count++] = length;
        return count;
    }

    private void Deliver(int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (!_faults.Chance(LossPercent / 100.0))
                _receiver.Receive(_wire.AsSpan(i * Payload.Datagram, _lengths[i]), _now);
        }
    }

    private sealed class Producer : IOrderedByteUser
    {
        private readonly byte[] _data = Payload.Create(Payload.Datagram);

        public long Left { get; set; }

        public bool HasOutput => Left > 0;

        public bool TryDeliver(ReadOnlySpan<byte> data) => true;

        public int Fill(Span<byte> destination)
        {
            int length = (int)Math.Min(destination.Length, Left);
            _data.AsSpan(0, length).CopyTo(destination);
            Left -= length;
            return length;
        }
    }

    private sealed class Consumer : IOrderedByteUser
    {
        public long Received { get; private set; }

        public bool HasOutput => false;

        public bool TryDeliver(ReadOnlySpan<byte> data)
        {
            Received += data.Length;
            return true;
        }

        public int Fill(Span<byte> destination) => 0;
    }
}
