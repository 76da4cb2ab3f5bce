using BenchmarkDotNet.Attributes;
using Tunnel.Protocol.Crypto;

namespace Tunnel.Perf;

public class CipherBenchmarks
{
    private readonly byte[] _datagram = Payload.Create(Payload.Datagram);
    private readonly byte[] _sealed = Payload.Create(Payload.Datagram);
    private readonly byte[] _scratch = new byte[Payload.Datagram];
    private DatagramCipher _cipher = null!;

    public static IEnumerable<string> Names => CipherSuite.Names;

    [ParamsSource(nameof(Names))]
    public string Cipher { get; set; } = "";

    [GlobalSetup]
    public void Prepare()
    {
        _cipher = CipherSuite.Create(Cipher, new byte[KeyDerivation.MasterKeyLength], new NonceGenerator(new byte[NonceGenerator.SeedLength]));
        _cipher.Seal(_sealed);
    }

    [GlobalCleanup]
    public void CleanUp() => _cipher.Dispose();

    [Benchmark, Moves(Payload.Datagram)]
    public void Seal() => _cipher.Seal(_datagram);

    [Benchmark, Moves(Payload.Datagram)]
    public bool Open() => _cipher.TryOpen(_sealed, _scratch, out _);
}
