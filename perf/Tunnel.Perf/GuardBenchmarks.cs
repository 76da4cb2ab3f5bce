using BenchmarkDotNet.Attributes;
using Tunnel.Protocol.Crypto;

namespace Tunnel.Perf;

public class GuardBenchmarks
{
    private const int Merged = 46;
    private const int Guarded = Guard.PrefixLength + Payload.Datagram;

    private readonly Guard _guard = new(new byte[Guard.KeyLength], "PQT1"u8, windowSeconds: 30, skewWindows: 1, unixSeconds: 1_700_000_000);
    private readonly byte[] _passes = Payload.Create(Merged * Guarded);
    private readonly byte[] _stranger = Payload.Create(Guarded);

    [GlobalSetup]
    public void Prepare()
    {
        for (int i = 0; i < Merged; i++)
            _guard.Write(_passes.AsSpan(i * Guarded));
        _guard.Write(_stranger);
        _stranger[Guard.MagicLength] ^= 1;
    }

    [Benchmark]
    public void Write() => _guard.Write(_stranger.AsSpan(Guard.PrefixLength));

    [Benchmark]
    public GuardVerdict CheckPeer() => _guard.Check(_passes);

    [Benchmark]
    public GuardVerdict CheckStranger() => _guard.Check(_stranger);

    /// <summary>A frame that the kernel merged from as many datagrams as fit.</summary>
    [Benchmark(OperationsPerInvoke = Merged), Moves(Payload.Datagram)]
    public int SplitMerged()
    {
        int count = 0;
        foreach (ReadOnlySpan<byte> datagram in _guard.Split(_passes))
            count += datagram.Length;
        return count;
    }
}
