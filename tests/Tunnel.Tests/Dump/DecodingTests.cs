using Tunnel.Ctl.Dump.Decoding;
using Tunnel.Protocol.Mux;

namespace Tunnel.Tests.Dump;

public class DecodingTests
{
    private static readonly byte[] Open = Frame(MuxCommand.Open, 3, 0);

    [Fact]
    public void SegmentsComeOutInOrder()
    {
        var order = new SegmentOrder();
        Assert.Equal(SegmentPlace.Next, order.Add(0, [0]));
        Assert.Equal("0", Taken(order));
        Assert.Equal(SegmentPlace.Waits, order.Add(2, [2]));
        Assert.Equal("", Taken(order));
        Assert.Equal(SegmentPlace.Again, order.Add(2, [2]));
        Assert.Equal(SegmentPlace.Again, order.Add(0, [0]));
        Assert.Equal(SegmentPlace.Next, order.Add(1, [1]));
        Assert.Equal("1 2", Taken(order));
    }

    [Fact]
    public void WhatThePeerHasAndWeHaveNotIsAGap()
    {
        var order = new SegmentOrder();
        order.Add(0, [0]);
        Taken(order);
        order.Add(3, [3]);
        order.PeerHas(1);
        Assert.Equal("", Taken(order));
        order.PeerHas(2);
        Assert.Equal("gap 3", Taken(order));
    }

    [Fact]
    public void TooManyThatWaitAreAGapAndNumbersWrap()
    {
        const uint start = uint.MaxValue - 5;
        var order = new SegmentOrder();
        order.Add(start, [0]);
        Assert.Equal($"gap {start}", Taken(order));
        for (uint i = 2; i < 10_000; i++)
        {
            order.Add(start + i, [0]);
            if (Taken(order) is { Length: > 0 } taken)
            {
                Assert.StartsWith($"gap {start + 2} ", taken, StringComparison.Ordinal);
                return;
            }
        }

        Assert.Fail("it would wait for ever");
    }

    /// <summary>Frames may begin, and headers may end, anywhere.</summary>
    [Fact]
    public void FramesAreFoundHoweverTheyAreCut()
    {
        byte[] stream = [.. Open, .. Frame(MuxCommand.Data, 3, 20), .. new byte[20], .. Frame(MuxCommand.Finish, 3, 0)];
        for (int size = 1; size <= stream.Length; size++)
        {
            var decoder = new MuxDecoder(new StreamNotes(), fromOpener: true);
            List<DumpedMuxFrame> frames = [];
            for (int at = 0; at < stream.Length; at += size)
                decoder.Feed((uint)at, stream.AsSpan(at, Math.Min(size, stream.Length - at)), gap: false, frames);
            Assert.Equal([MuxCommand.Open, MuxCommand.Data, MuxCommand.Finish], frames.Select(f => f.Frame.Command));
        }
    }

    [Fact]
    public void BehindAGapItBeginsAgainWhereFramesBegin()
    {
        var decoder = new MuxDecoder(new StreamNotes(), fromOpener: true);
        List<DumpedMuxFrame> frames = [];
        decoder.Feed(5, new byte[100], gap: true, frames);
        decoder.Feed(6, new byte[100], gap: false, frames);
        decoder.Feed(7, Open, gap: false, frames);
        decoder.Feed(8, [9, 9, 9, 9, 9, 9, 9, 9], gap: false, frames);
        Assert.Equal(["segments are missing in front of this one", "", "this is no smux frame"], frames.Select(f => f.Gap));
        Assert.Equal([5u, 7u, 8u], frames.Select(f => f.Number));
    }

    private static string Taken(SegmentOrder order)
    {
        List<string> taken = [];
        while (order.TryTake(out uint number, out _, out bool gap))
            taken.Add($"{(gap ? "gap " : "")}{number}");
        return string.Join(' ', taken);
    }

    private static byte[] Frame(MuxCommand command, uint stream, ushort length)
    {
        byte[] header = new byte[MuxFrame.HeaderLength];
        new MuxFrame(2, command, length, stream).Write(header);
        return header;
    }
}
