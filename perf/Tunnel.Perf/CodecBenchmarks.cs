using BenchmarkDotNet.Attributes;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Sessions;

namespace Tunnel.Perf;

/// <summary>The headers inside of a datagram, written and read; and what a stream says first.</summary>
public class CodecBenchmarks
{
    private readonly byte[] _segment = new byte[KcpSegment.HeaderLength];
    private readonly byte[] _frame = new byte[MuxFrame.HeaderLength];
    private readonly byte[] _header = new byte[StreamHeader.MaximumLength];
    private readonly StreamHeader _request = new(StreamRequest.Tcp, new Target("example.org", 443));

    [GlobalSetup]
    public void Prepare()
    {
        WriteSegment();
        WriteFrame();
        _request.Write(HeaderFormat.V1, _header);
    }

    [Benchmark]
    public void WriteSegment() => new KcpSegment(1, KcpCommand.Push, 0, 2048, 1000, 7, 5, 1326).Write(_segment);

    [Benchmark]
    public KcpSegment ReadSegment() => KcpSegment.TryRead(_segment, out KcpSegment segment) ? segment : default;

    [Benchmark]
    public void WriteFrame() => new MuxFrame(2, MuxCommand.Data, 1318, 3).Write(_frame);

    [Benchmark]
    public MuxFrame ReadFrame() => MuxFrame.Read(_frame);

    /// <summary>Once a stream; its texts are objects, so this one allocates.</summary>
    [Benchmark]
    public bool ReadStreamHeader() => StreamHeaderReader.TryRead(_header, out _, out _, out _) == HeaderStatus.Complete;
}
