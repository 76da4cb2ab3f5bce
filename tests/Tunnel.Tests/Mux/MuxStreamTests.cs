using Tunnel.Protocol.Mux;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Mux;

public class MuxStreamTests
{
    [Theory]
    [InlineData(true, new uint[] { 3, 5, 7 })]
    [InlineData(false, new uint[] { 2, 4, 6 })]
    public void Numbers(bool isClient, uint[] expected)
    {
        var bench = new MuxBench(isClient: isClient);
        foreach (uint id in expected)
            Assert.Equal(id, bench.Mux.Open()!.Id);
        Assert.Equal(expected.Select(id => (MuxCommand.Open, id)), bench.Drain().Select(f => (f.Command, f.StreamId)));
    }

    [Fact]
    public void TheBytesOfEveryFrame()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Mux.Open()!;
        Assert.Equal("0200000003000000", Hex.Of(bench.Fill()));
        bench.Mux.TryWrite(stream, "hi"u8.ToArray());
        Assert.Equal("02020200030000006869", Hex.Of(bench.Fill()));
        bench.Feed(MuxCommand.Data, 3, [1, 2, 3]);
        bench.ReadAll(stream);
        Assert.Equal("02040800030000000300000000008000", Hex.Of(bench.Fill()));
        bench.Mux.CloseWrite(stream);
        Assert.Equal("0201000003000000", Hex.Of(bench.Fill()));
        bench.Mux.Advance(10_000);
        Assert.Equal("0203000000000000", Hex.Of(bench.Fill()));
        Assert.False(bench.Mux.HasOutput);
        Assert.Equal(0, bench.Mux.Fill(new byte[100]));
    }

    [Fact]
    public void AWriteIsCutIntoSegments()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Open();
        byte[] data = Hex.Counting(5000);
        Assert.True(bench.Mux.TryWrite(stream, data));
        Assert.Empty(bench.Events());
        List<SentFrame> frames = bench.Drain();
        Assert.Equal([1318, 1318, 1318, 1046], frames.Select(f => f.Data.Length).ToArray());
        Assert.Equal(data, frames.SelectMany(f => f.Data).ToArray());
        Assert.Equal(new MuxEvent(MuxEventKind.Written, stream), Assert.Single(bench.Events()));
    }

    [Fact]
    public void AnEmptyWriteIsWrittenAtOnce()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Open();
        Assert.True(bench.Mux.TryWrite(stream, default));
        Assert.Equal(MuxEventKind.Written, Assert.Single(bench.Events()).Kind);
        Assert.Empty(bench.Drain());
    }

    [Fact]
    public void ReadableIsRaisedOnceUntilReadEmpty()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Accept(2);
        bench.Feed(MuxCommand.Data, 2, "ab"u8);
        bench.Feed(MuxCommand.Data, 2, "cd"u8);
        Assert.Single(bench.Events());
        bench.Mux.Read(stream, new byte[1]);
        bench.Feed(MuxCommand.Data, 2, "ef"u8);
        Assert.Empty(bench.Events());
        Assert.Equal("bcdef"u8.ToArray(), bench.ReadAll(stream));
        bench.Feed(MuxCommand.Data, 2, "g"u8);
        Assert.Single(bench.Events());
    }

    [Fact]
    public void PeerFinishesFirst()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Accept(2);
        bench.Feed(MuxCommand.Data, 2, "ab"u8);
        bench.Feed(MuxCommand.Finish, 2);
        bench.Feed(MuxCommand.Data, 2, "too late"u8);
        Assert.False(stream.EndOfStream);
        Assert.Equal("ab"u8.ToArray(), bench.ReadAll(stream));
        Assert.True(stream.EndOfStream);
        Assert.True(bench.Mux.TryWrite(stream, "cd"u8.ToArray()));
        bench.Mux.CloseWrite(stream);
        Assert.Equal([MuxCommand.Data, MuxCommand.Finish], bench.Drain().Select(f => f.Command).ToArray());
        Assert.Equal(1, bench.Mux.StreamCount);
        bench.Mux.Close(stream);
        Assert.Equal((0, 1), (bench.Mux.StreamCount, bench.Mux.Counters.Finished));
        Assert.Empty(bench.Drain());
    }

    [Fact]
    public void ThisEndFinishesFirst()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Open();
        bench.Mux.TryWrite(stream, "ab"u8.ToArray());
        bench.Mux.CloseWrite(stream);
        Assert.False(bench.Mux.TryWrite(stream, "cd"u8.ToArray()));
        Assert.Equal([MuxCommand.Data, MuxCommand.Finish], bench.Drain().Select(f => f.Command).ToArray());
        bench.Feed(MuxCommand.Data, 3, "ef"u8);
        bench.Feed(MuxCommand.Finish, 3);
        Assert.Equal("ef"u8.ToArray(), bench.ReadAll(stream));
        Assert.True(stream.EndOfStream);
        Assert.Equal(1, bench.Mux.StreamCount);
        bench.Mux.Close(stream);
        Assert.DoesNotContain(bench.Drain(), f => f.Command == MuxCommand.Finish);
        Assert.Equal((0, 0), (bench.Mux.Buffered, bench.Mux.StreamCount));
    }

    /// <summary>A target that reads slowly, or not at all, keeps a socket and memory here: that counts, whatever the two ends have said.</summary>
    [Fact]
    public void AStreamCountsUntilItsUserClosesIt()
    {
        var bench = new MuxBench(new MuxOptions { MaxStreams = 1 });
        MuxStream stream = bench.Accept(2);
        bench.Mux.CloseWrite(stream);
        bench.Drain();
        bench.Feed(MuxCommand.Data, 2, "ab"u8);
        bench.Feed(MuxCommand.Finish, 2);
        Assert.Null(bench.Mux.Open());
        bench.ReadAll(stream);
        Assert.Null(bench.Mux.Open());
        bench.Mux.Close(stream);
        Assert.NotNull(bench.Mux.Open());
    }

    /// <summary>A word to the peer: it reads to the end, and nobody waits for that here.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AReleasedStreamIsClosedWhenThePeerEndsIt(bool peerFirst)
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Open();
        bench.Mux.TryWrite(stream, "ab"u8.ToArray());
        List<SentFrame> sent = bench.Drain();
        if (peerFirst)
            bench.Feed(MuxCommand.Finish, 3);
        bench.Mux.Release(stream);
        sent.AddRange(bench.Drain());
        bench.Feed(MuxCommand.Data, 3, "unread"u8);
        bench.Feed(MuxCommand.Finish, 3);
        sent.AddRange(bench.Drain());
        Assert.Equal([MuxCommand.Data, MuxCommand.Finish], sent.Select(f => f.Command));
        Assert.Equal((0, 0L, 1), (bench.Mux.StreamCount, bench.Mux.Buffered, bench.Mux.Counters.Finished));
    }

    /// <summary>Neither the peer that breaks off what has ended already, nor the session's end, takes away what has come.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WhatHasEndedBothWaysIsKeptForItsReader(bool sessionEnds)
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Accept(2);
        bench.Mux.CloseWrite(stream);
        bench.Drain();
        bench.Feed(MuxCommand.Data, 2, "ab"u8);
        bench.Feed(MuxCommand.Finish, 2);
        bench.Events();
        if (sessionEnds)
            bench.Mux.Close(CloseReason.Goodbye);
        else
            bench.Feed(MuxCommand.Reset, 2);
        Assert.Empty(bench.Events());
        Assert.Equal("ab"u8.ToArray(), bench.ReadAll(stream));
        Assert.True(stream is { EndOfStream: true, IsReset: false, IsClosed: false });
        bench.Mux.Close(stream);
        Assert.Equal((0, 1, 0, 0), (bench.Mux.StreamCount, bench.Mux.Counters.Finished, bench.Mux.Counters.Reset, bench.Mux.Counters.Lost));
    }

    [Fact]
    public void CloseDiscardsBothWays()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Accept(2);
        bench.Feed(MuxCommand.Data, 2, new byte[5000]);
        bench.Mux.TryWrite(stream, new byte[5000]);
        bench.Mux.Close(stream);
        bench.Mux.Close(stream);
        Assert.Equal(new SentFrame(MuxCommand.Finish, 2, []).StreamId, Assert.Single(bench.Drain()).StreamId);
        Assert.Equal((0, 0, 0), (bench.Mux.Buffered, bench.Mux.StreamCount, stream.Available));
        Assert.Equal(0, bench.Mux.Read(stream, new byte[10]));
        Assert.False(bench.Mux.TryWrite(stream, new byte[1]));
        bench.Feed(MuxCommand.Data, 2, new byte[100]);
        Assert.Equal(0, bench.Mux.Buffered);
    }

    [Fact]
    public void DataInTheMiddleOfWhichTheStreamIsClosedIsDiscarded()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Accept(2);
        byte[] frame = MuxBench.Frame(2, MuxCommand.Data, 2, new byte[100]);
        bench.Feed(frame.AsSpan(0, 50));
        bench.Mux.Close(stream);
        bench.Feed(frame.AsSpan(50));
        bench.Feed(MuxCommand.Open, 4);
        Assert.Equal(1, bench.Mux.StreamCount);
        Assert.Equal(0, bench.Mux.Buffered);
        Assert.False(bench.Mux.IsClosed);
    }

    [Fact]
    public void UnknownStreamsAreIgnored()
    {
        var bench = new MuxBench();
        bench.Feed(MuxCommand.Data, 99, new byte[70]);
        bench.Feed(MuxCommand.Finish, 99);
        bench.FeedUpdate(99, 1, 2);
        Assert.False(bench.Mux.IsClosed);
        Assert.Empty(bench.Events());
        Assert.False(bench.Mux.HasOutput);
    }

    [Fact]
    public void OpeningTwiceIsOpeningOnce()
    {
        var bench = new MuxBench();
        bench.Feed(MuxCommand.Open, 2);
        bench.Feed(MuxCommand.Open, 2);
        Assert.Single(bench.Events());
        Assert.Equal(1, bench.Mux.StreamCount);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void FramesMayBeSplitAnywhere(int version)
    {
        byte v = (byte)version;
        byte[] update = version == 2 ? MuxBench.Frame(v, MuxCommand.WindowUpdate, 2, MuxBench.Update(0, 500_000)) : [];
        byte[] bytes =
        [
            .. MuxBench.Frame(v, MuxCommand.Open, 2), .. MuxBench.Frame(v, MuxCommand.Data, 2, "hello"u8), .. update,
            .. MuxBench.Frame(v, MuxCommand.Data, 2), .. MuxBench.Frame(v, MuxCommand.KeepAlive, 0),
            .. MuxBench.Frame(v, MuxCommand.Data, 2, " you"u8), .. MuxBench.Frame(v, MuxCommand.Finish, 2),
        ];
        for (int first = 0; first <= bytes.Length; first++)
        {
            for (int second = first; second <= bytes.Length; second++)
            {
                var bench = new MuxBench(new MuxOptions { Version = version });
                bench.Feed(bytes.AsSpan(0, first));
                bench.Feed(bytes.AsSpan(first, second - first));
                bench.Feed(bytes.AsSpan(second));
                MuxStream stream = Assert.Single(bench.Mux.Streams);
                Assert.Equal("hello you"u8.ToArray(), bench.ReadAll(stream));
                Assert.True(stream.EndOfStream);
            }
        }
    }
}
