using Tunnel.Links;

namespace Tunnel.Tests.Links;

/// <summary>Keeps copies of what a link delivered, of merged datagrams each.</summary>
internal sealed class FrameCollector : IFrameSink
{
    public List<byte[]> Frames { get; } = [];

    public List<byte[]> Addresses { get; } = [];

    public List<int> SegmentLengths { get; } = [];

    public int Batches { get; private set; }

    /// <summary>Calls, however many datagrams were in them.</summary>
    public int Messages { get; private set; }

    public void OnFrame(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> address, int segmentLength)
    {
        Messages++;
        bool merged = !address.IsEmpty && segmentLength != 0;
        foreach (byte[] part in merged ? frame.ToArray().Chunk(segmentLength) : [frame.ToArray()])
        {
            Frames.Add(part);
            Addresses.Add(address.ToArray());
            SegmentLengths.Add(segmentLength);
        }
    }

    public void OnBatchEnd() => Batches++;

    /// <summary>Receives until that many frames are there; gives up after a generous time so that a failure is not a hang.</summary>
    public void ReceiveAll(IPacketLink link, int frames)
    {
        long giveUp = Environment.TickCount64 + 10_000;
        while (Frames.Count < frames && Environment.TickCount64 < giveUp)
            link.Receive(this, 100);
    }
}
