using Tunnel.Protocol.Mux;
using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Mux;

public class MuxDatagramTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(1318)]
    [InlineData(1319)]
    [InlineData(5000)]
    [InlineData(65_535)]
    public void ADatagramIsOneFrame(int length)
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Open();
        byte[] data = Hex.Counting(length);
        Assert.Equal(DatagramWrite.Taken, bench.Mux.TryWriteDatagram(stream, data));
        Assert.Equal(MuxBench.Frame(2, MuxCommand.Data, 3, data), Bytes(bench));
        Assert.Equal(new MuxEvent(MuxEventKind.Written, stream), Assert.Single(bench.Events()));
        Assert.Equal(length, stream.BytesSent);
    }

    [Fact]
    public void NothingIsInterleavedWithIt()
    {
        var bench = new MuxBench();
        MuxStream a = bench.Open(), b = bench.Open(), c = bench.Open();
        bench.Mux.TryWriteDatagram(a, Hex.Counting(3000));
        byte[] first = bench.Fill().ToArray();
        bench.Mux.TryWrite(b, "bytes"u8.ToArray());
        bench.Mux.TryWriteDatagram(c, "datagram"u8.ToArray());
        bench.Mux.CloseWrite(a);
        bench.Mux.Advance(10_000);
        bench.FeedUpdate(a.Id, 0, 1_000_000);
        Assert.Empty(bench.Events());
        byte[] expected =
        [
            .. MuxBench.Frame(2, MuxCommand.Data, a.Id, Hex.Counting(3000)), .. MuxBench.Frame(2, MuxCommand.KeepAlive, 0),
            .. MuxBench.Frame(2, MuxCommand.Data, b.Id, "bytes"u8), .. MuxBench.Frame(2, MuxCommand.Data, c.Id, "datagram"u8),
            .. MuxBench.Frame(2, MuxCommand.Finish, a.Id),
        ];
        Assert.Equal(expected, first.Concat(Bytes(bench)));
    }

    [Fact]
    public void ClosedInTheMiddleItIsSentWhole()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Open();
        byte[] data = Hex.Counting(3000), before = [.. data];
        bench.Mux.TryWriteDatagram(stream, data);
        byte[] first = bench.Fill().ToArray();
        bench.Mux.Close(stream);
        // The writer has its memory back.
        data.AsSpan().Clear();
        byte[] expected = [.. MuxBench.Frame(2, MuxCommand.Data, 3, before), .. MuxBench.Frame(2, MuxCommand.Finish, 3)];
        Assert.Equal(expected, first.Concat(Bytes(bench)));
    }

    [Fact]
    public void TheSessionEndsInTheMiddle()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Open();
        bench.Mux.TryWriteDatagram(stream, new byte[3000]);
        bench.Fill();
        bench.Mux.Close(CloseReason.Local);
        Assert.False(bench.Mux.HasOutput);
        Assert.Equal(0, bench.Mux.Fill(new byte[100]));
        Assert.Contains(bench.Events(), e => e.Kind == MuxEventKind.Written);
        Assert.Equal(DatagramWrite.Closed, bench.Mux.TryWriteDatagram(stream, new byte[1]));
    }

    [Fact]
    public void ItWaitsForTheWholeWindow()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Open();
        bench.FeedUpdate(3, 0, 1000);
        Assert.Equal(DatagramWrite.Impossible, bench.Mux.TryWriteDatagram(stream, new byte[1001]));
        Assert.Equal(DatagramWrite.Impossible, bench.Mux.TryWriteDatagram(stream, default));
        Assert.Equal(DatagramWrite.Taken, bench.Mux.TryWriteDatagram(stream, new byte[600]));
        Assert.Single(bench.Drain());
        bench.Events();
        Assert.Equal(DatagramWrite.Taken, bench.Mux.TryWriteDatagram(stream, new byte[600]));
        Assert.False(bench.Mux.HasOutput);
        bench.FeedUpdate(3, 199, 1000);
        Assert.False(bench.Mux.HasOutput);
        bench.FeedUpdate(3, 200, 1000);
        Assert.Equal(600, Assert.Single(bench.Drain()).Data.Length);
        Assert.Single(bench.Events());
    }

    [Fact]
    public void AWindowThatBecameTooSmallDropsIt()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Open();
        bench.FeedUpdate(3, 0, 1000);
        bench.Mux.TryWriteDatagram(stream, new byte[900]);
        bench.Drain();
        bench.Mux.TryWriteDatagram(stream, new byte[900]);
        bench.Events();
        bench.FeedUpdate(3, 900, 800);
        Assert.Equal(MuxEventKind.Written, Assert.Single(bench.Events()).Kind);
        Assert.Equal((1, 900L, false), (stream.DatagramsDropped, stream.BytesSent, bench.Mux.HasOutput));
        Assert.Equal(DatagramWrite.Taken, bench.Mux.TryWriteDatagram(stream, new byte[800]));
        Assert.Single(bench.Drain());
    }

    [Fact]
    public void VersionOneHasNoWindow()
    {
        var bench = new MuxBench(new MuxOptions { Version = 1 });
        MuxStream stream = bench.Open();
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(DatagramWrite.Taken, bench.Mux.TryWriteDatagram(stream, new byte[65_535]));
            Assert.Equal(8 + 65_535, Bytes(bench).Length);
        }
    }

    /// <summary>The frames behind a header are there before anybody has read it and knows that they are datagrams.</summary>
    [Fact]
    public void FramesRightBehindAHeader()
    {
        byte[] bytes =
        [
            .. MuxBench.Frame(2, MuxCommand.Open, 2), .. MuxBench.Frame(2, MuxCommand.Data, 2, "head"u8),
            .. MuxBench.Frame(2, MuxCommand.Data, 2, "one"u8), .. MuxBench.Frame(2, MuxCommand.Data, 2),
            .. MuxBench.Frame(2, MuxCommand.Data, 2, "three"u8), .. MuxBench.Frame(2, MuxCommand.Finish, 2),
        ];
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            var bench = new MuxBench();
            bench.Feed(bytes.AsSpan(0, cut));
            byte[] header = new byte[4];
            int have = bench.Mux.Streams.SingleOrDefault() is { } early ? bench.Mux.Read(early, header) : 0;
            bool early4 = have == 4 && MuxSession.ReadFrames(bench.Mux.Streams.Single());
            bench.Events();
            bench.Feed(bytes.AsSpan(cut));
            MuxStream stream = bench.Mux.Streams.Single();
            bench.Mux.Read(stream, header.AsSpan(have));
            Assert.Equal("head"u8.ToArray(), header);
            Assert.True(early4 || MuxSession.ReadFrames(stream));
            Assert.Equal(["one", "three"], Frames(bench, stream));
            Assert.True(stream.EndOfStream);
            Assert.Equal(0, bench.Mux.Buffered);
        }
    }

    [Fact]
    public void ReadableIsRaisedByAWholeFrame()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Open();
        Assert.True(MuxSession.ReadFrames(stream));
        byte[] frame = MuxBench.Frame(2, MuxCommand.Data, 3, new byte[100]);
        bench.Feed(frame.AsSpan(0, 50));
        Assert.Empty(bench.Events());
        Assert.False(stream.HasInput);
        Assert.Equal(-1, bench.Mux.ReadFrame(stream, new byte[65_535]));
        bench.Feed(frame.AsSpan(50));
        bench.Feed(frame);
        Assert.Equal(MuxEventKind.Readable, Assert.Single(bench.Events()).Kind);
        Assert.Equal(100, bench.Mux.ReadFrame(stream, new byte[65_535]));
        Assert.Equal(100, bench.Mux.ReadFrame(stream, new byte[65_535]));
        bench.Feed(frame);
        Assert.Single(bench.Events());
    }

    /// <summary>Whoever reads frames is told that no more will come: the beginning of one is not waited for, and what came whole is not lost.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TheSessionEndsInTheMiddleOfOneThatComes(bool isOneWhole)
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Open();
        Assert.True(MuxSession.ReadFrames(stream));
        byte[] frame = MuxBench.Frame(2, MuxCommand.Data, 3, new byte[100]);
        if (isOneWhole)
            bench.Feed(frame);
        bench.Feed(frame.AsSpan(0, 50));
        bench.Events();
        bench.Mux.Close(CloseReason.KeepAliveTimeout);
        Assert.Contains(new MuxEvent(MuxEventKind.Readable, stream), bench.Events());
        Assert.Equal(!isOneWhole, stream.EndOfStream);
        Assert.Equal(isOneWhole ? 100 : -1, bench.Mux.ReadFrame(stream, new byte[65_535]));
        Assert.True(stream.EndOfStream);
        Assert.Equal(-1, bench.Mux.ReadFrame(stream, new byte[65_535]));
    }

    [Fact]
    public void WhatThisEndClosedHasNoFramesLeft()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Open();
        Assert.True(MuxSession.ReadFrames(stream));
        bench.Feed(MuxBench.Frame(2, MuxCommand.Data, 3, new byte[100]));
        bench.Mux.Close(stream);
        Assert.True(stream.EndOfStream);
        Assert.Equal(-1, bench.Mux.ReadFrame(stream, new byte[65_535]));
    }

    /// <summary>As long as they fit the window at all: nobody waits for ever for the half of it that has not been given back.</summary>
    [Theory]
    [InlineData(16_384, 8_000, 16_384)]
    [InlineData(65_536, 20_000, 50_000)]
    [InlineData(131_000, 65_499, 65_535)]
    public void LongDatagramsFollowShortOnesThroughASmallWindow(int window, int shorter, int longer)
    {
        var options = new MuxOptions { StreamBuffer = window };
        MuxBench sender = new(options), receiver = new(options, isClient: false);
        MuxStream from = sender.Mux.Open()!;
        Exchange(sender, receiver);
        MuxStream to = Assert.Single(receiver.Mux.Streams);
        Assert.True(MuxSession.ReadFrames(to));
        foreach (int length in new[] { 1, shorter, longer, shorter, longer })
        {
            Assert.Equal(DatagramWrite.Taken, sender.Mux.TryWriteDatagram(from, new byte[length]));
            Exchange(sender, receiver);
            Assert.Equal(length, receiver.Mux.ReadFrame(to, new byte[65_535]));
            Exchange(sender, receiver);
        }
    }

    [Fact]
    public void TooManyAreDroppedAndTheirWindowIsGivenBack()
    {
        var bench = new MuxBench();
        MuxStream stream = bench.Accept(2);
        Assert.True(MuxSession.ReadFrames(stream));
        for (int i = 0; i < 4100; i++)
            bench.Feed(MuxCommand.Data, 2, [1]);
        Assert.Equal((4L, 4096), (stream.DatagramsDropped, stream.Available));
        Assert.Equal(MuxCommand.WindowUpdate, Assert.Single(bench.Drain()).Command);
    }

    [Fact]
    public void BytesNeedNoFrames()
    {
        var bench = new MuxBench();
        MuxStream many = bench.Accept(2), told = bench.Accept(4);
        for (int i = 0; i < 5000; i++)
            bench.Feed(MuxCommand.Data, 2, [1]);
        Assert.False(MuxSession.ReadFrames(many));
        Assert.Equal(5000, bench.ReadAll(many).Length);
        MuxSession.ReadBytes(told);
        bench.Feed(MuxCommand.Data, 4, [1]);
        Assert.False(MuxSession.ReadFrames(told));
    }

    /// <summary>Bytes read and frames read in any order, in any pieces: what is left of a frame is a frame.</summary>
    [Fact]
    public void FrameLengthsAgainstAModel() => TestSeed.Run(300, seed =>
    {
        var random = new Prng(seed);
        var lengths = new FrameLengths();
        var model = new List<int>();
        int unfinished = 0;
        for (int step = 0; step < 200; step++)
        {
            switch (random.Next(4))
            {
                case 0:
                    int added = 1 + random.Next(100);
                    lengths.Add(added);
                    unfinished += added;
                    break;
                case 1:
                    lengths.End();
                    if (unfinished != 0)
                        model.Add(unfinished);
                    unfinished = 0;
                    break;
                case 2 when model.Count != 0:
                    Assert.Equal(model[0], lengths.Take());
                    model.RemoveAt(0);
                    break;
                case 3:
                    int skipped = random.Next(model.Sum() + unfinished + 1);
                    lengths.Skip(skipped);
                    for (; model.Count != 0 && skipped >= model[0]; model.RemoveAt(0))
                        skipped -= model[0];
                    if (model.Count != 0)
                        model[0] -= skipped;
                    else
                        unfinished -= skipped;
                    break;
            }

            Assert.Equal(model.Count, lengths.Count);
        }
    });

    private static void Exchange(MuxBench a, MuxBench b)
    {
        while (a.Mux.HasOutput || b.Mux.HasOutput)
        {
            b.Feed(a.Fill());
            a.Feed(b.Fill());
        }
    }

    private static List<string> Frames(MuxBench bench, MuxStream stream)
    {
        var frames = new List<string>();
        byte[] buffer = new byte[MuxFrame.MaximumData];
        for (int n = bench.Mux.ReadFrame(stream, buffer); n >= 0; n = bench.Mux.ReadFrame(stream, buffer))
            frames.Add(System.Text.Encoding.ASCII.GetString(buffer, 0, n));
        return frames;
    }

    private static byte[] Bytes(MuxBench bench)
    {
        var bytes = new List<byte>();
        while (bench.Mux.HasOutput)
            bytes.AddRange(bench.Fill());
        return [.. bytes];
    }
}
