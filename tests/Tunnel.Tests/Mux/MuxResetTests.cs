using Tunnel.Protocol.Mux;

namespace Tunnel.Tests.Mux;

public class MuxResetTests
{
    [Theory]
    [InlineData(false, MuxCommand.Finish)]
    [InlineData(true, MuxCommand.Reset)]
    public void ABrokenStreamIsResetOnlyToPeersThatKnowIt(bool peerTakesReset, MuxCommand expected)
    {
        var bench = new MuxBench();
        bench.Mux.PeerTakesReset = peerTakesReset;
        MuxStream stream = bench.Open();
        bench.Mux.TryWrite(stream, new byte[10_000_000]);
        bench.Mux.Close(stream);
        Assert.Equal((expected, 3u), Assert.Single(bench.Drain()) is var frame ? (frame.Command, frame.StreamId) : default);
    }

    /// <summary>A reset would make the peer throw away what it has not passed on yet.</summary>
    [Fact]
    public void AStreamThatEndedInOrderIsNotResetEvenIfItsFinWaits()
    {
        var bench = new MuxBench();
        bench.Mux.PeerTakesReset = true;
        MuxStream stream = bench.Open();
        bench.Feed(MuxCommand.Finish, 3);
        bench.Mux.CloseWrite(stream);
        bench.Mux.Close(stream);
        Assert.Equal(MuxCommand.Finish, Assert.Single(bench.Drain()).Command);
        Assert.Equal(0, bench.Mux.StreamCount);
    }

    [Fact]
    public void AResetEndsBothWaysAndFreesWhatWasHeld()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Open();
        bench.Feed(MuxCommand.Data, 3, new byte[500]);
        bench.Mux.TryWrite(stream, new byte[10_000_000]);
        bench.Drain();
        bench.Feed(MuxCommand.Reset, 3);
        Assert.True(stream.IsReset && stream.IsClosed && stream.EndOfStream);
        Assert.Equal(0, bench.Mux.Buffered);
        Assert.Equal(0, bench.Mux.StreamCount);
        Assert.Contains(new MuxEvent(MuxEventKind.Written, stream), bench.Events());
        Assert.False(bench.Mux.TryWrite(stream, new byte[1]));
        Assert.Empty(bench.Drain());
    }

    [Fact]
    public void AResetOfNobodyIsNothing()
    {
        var bench = new MuxBench();
        bench.Feed(MuxCommand.Reset, 99);
        Assert.False(bench.Mux.IsClosed);
    }
}
