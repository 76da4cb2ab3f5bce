using Tunnel.Links;
using Tunnel.Links.Sockets;

namespace Tunnel.Tests.Links;

/// <summary>A link that hands over what the test put into it, and breaks when the test says so.</summary>
internal sealed class ScriptedLink(int maxMergedLength = 0) : IPacketLink
{
    private readonly Queue<byte[]> _arrived = new();
    private readonly AutoResetEvent _wake = new(false);

    public string Name => "scripted";

    public LinkFraming Framing => LinkFraming.Ethernet;

    public int MtuTowards(ReadOnlySpan<byte> address) => 1500;

    public int MaxMergedLength => maxMergedLength;

    public LinkException? Fault { get; set; }

    public bool IsDisposed { get; private set; }

    public List<byte[]> Sent { get; } = [];

    public LinkCounters Counters { get; private set; }

    public void Arrive(params byte[] frame) => _arrived.Enqueue(frame);

    public int Receive(IFrameSink sink, int timeoutMilliseconds)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        if (_arrived.Count == 0 && Fault is null)
            _wake.WaitOne(timeoutMilliseconds);
        int frames = 0;
        for (; _arrived.TryDequeue(out byte[]? frame); frames++)
            sink.OnFrame(frame, default, 0);
        Counters = Counters with { PacketsIn = Counters.PacketsIn + frames };
        if (Fault is { } fault)
            throw fault;
        if (frames > 0)
            sink.OnBatchEnd();
        return frames;
    }

    /// <summary>Who is told, now.</summary>
    public LinkWatch? Watching { get; private set; }

    public void Watch(LinkWatch? watch) => Watching = watch;

    public int Send(ReadOnlySpan<byte> run, int frameLength, ReadOnlySpan<byte> address)
    {
        if (IsDisposed || Fault is not null)
            return 0;
        Sent.Add(run.ToArray());
        Counters = Counters with { PacketsOut = Counters.PacketsOut + 1 };
        return 1;
    }

    public bool SendMerged(ReadOnlySpan<byte> frame, int headerLength, int segmentLength)
    {
        if (maxMergedLength == 0)
            throw new InvalidOperationException();
        return Send(frame, frame.Length, default) == 1;
    }

    public void Wake() => _wake.Set();

    public void Dispose() => IsDisposed = true;
}
