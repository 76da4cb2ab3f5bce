using BenchmarkDotNet.Attributes;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;

namespace Tunnel.Perf;

/// <summary>Two multiplexers whose segments go straight from one into the other.</summary>
public class MuxBenchmarks
{
    private const int Total = 4 << 20;

    private readonly byte[] _segment = new byte[Payload.Datagram - KcpSegment.HeaderLength];
    private readonly MuxSession _client = new(new MuxOptions(), isClient: true, now: 0);
    private readonly MuxSession _server = new(new MuxOptions(), isClient: false, now: 0);
    private StreamLoad _load = null!;

    [Params(1, 100)]
    public int Streams { get; set; }

    [GlobalSetup]
    public void Prepare() => _load = new StreamLoad(_client, Streams, _server, _server.Read);

    [Benchmark, Moves(Total)]
    public long Transfer()
    {
        _load.Begin(Total);
        while (!_load.IsDone)
        {
            Pump(_client, _server);
            _load.Consume();
            Pump(_server, _client);
            _load.Produce();
        }

        return _load.Received;
    }

    private void Pump(MuxSession from, MuxSession to)
    {
        while (from.HasOutput && from.Fill(_segment) is > 0 and int length)
            to.TryDeliver(_segment.AsSpan(0, length));
    }
}
