using BenchmarkDotNet.Attributes;
using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;
using Tunnel.Protocol.Sessions;

namespace Tunnel.Perf;

/// <summary>
/// The whole protocol, both ends on one core: a stream's bytes into sealed datagrams, and out of them again. What a link and the
/// sockets cost comes on top.
/// </summary>
public class SessionBenchmarks
{
    private const int Total = 4 << 20;

    private readonly byte[] _run = new byte[65_536];
    private Session _client = null!;
    private Session _server = null!;
    private StreamLoad _load = null!;
    private Instant _now;

    [Params("null", "aes", "aes-128-gcm")]
    public string Cipher { get; set; } = "";

    [GlobalSetup]
    public void Prepare()
    {
        _client = Create(isClient: true);
        _server = Create(isClient: false);
        _load = new StreamLoad(_client.Mux, streams: 1, _server.Mux, _server.Read);
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _client.Dispose();
        _server.Dispose();
    }

    [Benchmark, Moves(Total)]
    public long Transfer()
    {
        _load.Begin(Total);
        while (!_load.IsDone)
        {
            _now = _now.AddMilliseconds(1);
            _client.Advance(_now);
            _server.Advance(_now);
            Pump(_client, _server);
            _load.Consume();
            Pump(_server, _client);
            _load.Produce();
        }

        return _load.Received;
    }

    private Session Create(bool isClient)
    {
        byte[] seed = new byte[NonceGenerator.SeedLength];
        seed[0] = isClient ? (byte)1 : (byte)2;
        DatagramCipher cipher = CipherSuite.Create(Cipher, new byte[KeyDerivation.MasterKeyLength], new NonceGenerator(seed));
        SessionOptions options = SessionOptions.Create(new KcpOptions(), new MuxOptions(), Payload.Datagram, cipher.Overhead);
        return new Session(options, cipher, conv: 1, isClient, _now);
    }

    private void Pump(Session from, Session to)
    {
        while (from.Transmit(_run, headroom: 0, _now) is { IsEmpty: false } run)
        {
            for (int i = 0; i < run.Count; i++)
                to.Receive(_run.AsSpan(run[i]), _now);
        }
    }
}
