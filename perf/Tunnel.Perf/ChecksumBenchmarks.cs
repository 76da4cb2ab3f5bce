using BenchmarkDotNet.Attributes;
using Tunnel.Protocol.Wire;

namespace Tunnel.Perf;

public class ChecksumBenchmarks
{
    private const int LargestRun = 65_000;

    private readonly byte[] _data = Payload.Create(LargestRun);

    [Benchmark, Moves(Payload.Datagram)]
    public uint SumOfADatagram() => InternetChecksum.Sum(_data.AsSpan(0, Payload.Datagram));

    [Benchmark, Moves(LargestRun)]
    public uint SumOfARun() => InternetChecksum.Sum(_data);
}
