using Tunnel.Links;
using Tunnel.Links.Sockets;

namespace Tunnel.Tests.Links;

/// <summary>An Ethernet link without a network: what is sent is kept, what is to be received is put in. One thread.</summary>
internal sealed class EthernetCable : IPacketLink
{
    /// <summary>Frames sent, each on its own.</summary>
    public List<byte[]> Sent { get; } = [];

    /// <summary>Frames that wait to be received.</summary>
    public Queue<byte[]> Arriving { get; } = new();

    /// <summary>Called with each frame that is sent.</summary>
    public Action<byte[]>? OnSent { get; set; }

    public int Mtu { get; set; } = 1500;

    public string Name => "cable";

    public LinkFraming Framing => LinkFraming.Ethernet;

    public int MaxMergedLength => 0;

    public LinkCounters Counters => default;

    public int Receive(IFrameSink sink, int timeoutMilliseconds)
    {
        int count = 0;
        for (; Arriving.TryDequeue(out byte[]? frame); count++)
            sink.OnFrame(frame, default, 0);
        if (count != 0)
            sink.OnBatchEnd();
        else
            Thread.Sleep(timeoutMilliseconds < 0 ? 10 : Math.Min(timeoutMilliseconds, 10));
        return count;
    }

    public void Watch(LinkWatch? watch)
    {
        // Whoever uses it receives by itself.
    }

    public int Send(ReadOnlySpan<byte> run, int frameLength, ReadOnlySpan<byte> address)
    {
        int count = 0;
        for (; !run.IsEmpty; count++)
        {
            byte[] frame = run[..Math.Min(frameLength, run.Length)].ToArray();
            run = run[frame.Length..];
            Sent.Add(frame);
            OnSent?.Invoke(frame);
        }

        return count;
    }

    public bool SendMerged(ReadOnlySpan<byte> frame, int headerLength, int segmentLength) => throw new NotSupportedException();

    public int MtuTowards(ReadOnlySpan<byte> address) => Mtu;

    public void Wake()
    {
        // Nobody waits for long.
    }

    public void Dispose()
    {
        // Nothing is held.
    }
}
