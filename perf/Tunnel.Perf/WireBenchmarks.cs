using System.Net;
using BenchmarkDotNet.Attributes;
using Tunnel.Protocol.Wire;

namespace Tunnel.Perf;

public class WireBenchmarks
{
    private readonly CraftedFlow _flow = new(
        new FlowAddresses(
            MacAddress.FromBytes([2, 0, 0, 0, 0, 1]),
            MacAddress.FromBytes([2, 0, 0, 0, 0, 2]),
            Endpoint.FromIPEndPoint(IPEndPoint.Parse("192.0.2.1:40001")),
            Endpoint.FromIPEndPoint(IPEndPoint.Parse("192.0.2.2:9999"))),
        dscp: 46,
        new CraftCounter(start: 1));

    private byte[] _frame = [];

    [GlobalSetup]
    public void Prepare()
    {
        _frame = [.. new byte[_flow.HeaderLength(TcpFlags.Default)], .. Payload.Create(Payload.Datagram)];
        Craft();
    }

    [Benchmark, Moves(Payload.Datagram)]
    public int Craft() => _flow.Write(_frame, TcpFlags.Default);

    [Benchmark, Moves(Payload.Datagram)]
    public int Parse() => TcpSegment.TryParse(_frame, out TcpSegment segment) == WireDrop.None ? segment.Payload.Length : -1;
}
