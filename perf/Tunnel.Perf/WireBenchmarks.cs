using System.Net;
using BenchmarkDotNet.Attributes;
using Tunnel.Protocol.Wire;

namespace Tunnel.Perf;

public class WireBenchmarks
{
    /// <summary>Datagrams in a frame as long as the kernel takes.</summary>
    private const int Merged = 46;

    private static readonly FlowAddresses Addresses = new(
        MacAddress.FromBytes([2, 0, 0, 0, 0, 1]),
        MacAddress.FromBytes([2, 0, 0, 0, 0, 2]),
        Endpoint.FromIPEndPoint(IPEndPoint.Parse("192.0.2.1:40001")),
        Endpoint.FromIPEndPoint(IPEndPoint.Parse("192.0.2.2:9999")));

    private readonly CraftedFlow _flow = new(Addresses, dscp: 46, new CraftCounter(start: 1));
    private readonly ContiguousFlow _contiguous = new(Addresses, dscp: 46, firstSequence: 1);
    private byte[] _frame = [];
    private byte[] _merged = [];

    [GlobalSetup]
    public void Prepare()
    {
        _frame = [.. new byte[_flow.HeaderLength(TcpFlags.Default)], .. Payload.Create(Payload.Datagram)];
        _merged = new byte[_contiguous.HeaderLength + Merged * Payload.Datagram];
        Craft();
    }

    [Benchmark, Moves(Payload.Datagram)]
    public int Craft() => _flow.Write(_frame, TcpFlags.Default);

    /// <summary>One header for many datagrams; whoever cuts the frame completes the sums.</summary>
    [Benchmark(OperationsPerInvoke = Merged)]
    public void CraftMerged() => _contiguous.WriteMerged(_merged, acknowledgment: 1, timestamp: 1, echo: 1);

    [Benchmark, Moves(Payload.Datagram)]
    public int Parse() => TcpSegment.TryParse(_frame, out TcpSegment segment) == WireDrop.None ? segment.Payload.Length : -1;
}
