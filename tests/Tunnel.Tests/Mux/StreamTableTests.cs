using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;

namespace Tunnel.Tests.Mux;

/// <summary>A stream counts for the caps exactly as long as it is in the table.</summary>
public class StreamTableTests
{
    private readonly Counting _all = new();

    [Fact]
    public void WhoeverCameInGoesOutOnce()
    {
        StreamTable table = Create();
        MuxStream own = table.TryOpen()!, peers = table.TryAccept(2)!;
        Assert.Equal(2, _all.Admitted);
        table.Remove(own, StreamEnding.Finished);
        table.Remove(own, StreamEnding.Closed);
        Assert.Equal((1, 1), (table.Count, _all.Admitted));
        table.RemoveAll();
        table.Remove(peers, StreamEnding.Reset);
        Assert.Equal((0, 0), (table.Count, _all.Admitted));
        MuxCounters counters = table.Counters;
        Assert.Equal((1, 1, 1, 0, 0, 1), (counters.Opened, counters.Accepted, counters.Finished, counters.Closed, counters.Reset, counters.Lost));
    }

    [Fact]
    public void WhoeverIsRefusedTakesNoNumber()
    {
        StreamTable table = Create();
        Assert.Equal(3u, table.TryOpen()!.Id);
        _all.Answer = StreamAdmission.AllAreFull;
        Assert.Null(table.TryOpen());
        Assert.Null(table.TryAccept(2));
        _all.Answer = StreamAdmission.Admitted;
        Assert.Equal(5u, table.TryOpen()!.Id);
        Assert.Equal((1, 2, 2), (table.Refused, table.Counters.RefusedInAll, table.Count));
    }

    private StreamTable Create() => new(most: 10, isClient: true, _all, new BlockPool());

    private sealed class Counting : IStreamAdmission
    {
        public int WindowShift => 0;

        public int MaxStreams => 10;

        public int Admitted { get; private set; }

        public StreamAdmission Answer { get; set; } = StreamAdmission.Admitted;

        public StreamAdmission Admit(int streams)
        {
            Admitted += Answer == StreamAdmission.Admitted ? 1 : 0;
            return Answer;
        }

        public void Release() => Admitted--;

        public void OnBound(BufferBound bound)
        {
            // Nothing is received here.
        }
    }
}
