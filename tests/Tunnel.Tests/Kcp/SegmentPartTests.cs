using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Simulation;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Kcp;

/// <summary>Segments that come in parts, however they are cut and whoever cut them.</summary>
public class SegmentPartTests
{
    [Fact]
    public void PartsInAnyOrderCutAnyhowAndRepeatedMakeTheSegment() => TestSeed.Run(200, seed =>
    {
        var random = new Prng(seed);
        var bench = new EngineBench(new KcpOptions { Interval = 10 });
        byte[] data = new byte[2 + random.Next(8000)];
        Pattern.Fill(2, 0, data);
        while (bench.User.Received == 0)
        {
            int offset = random.Next(data.Length);
            int length = Math.Min(1 + random.Next(2000), data.Length - offset);
            Assert.True(Feed(bench, 0, offset, data.Length, data.AsSpan(offset, length)));
        }

        Assert.Equal(data.Length, bench.User.Received);
        Assert.Equal([0u], bench.Drain(1000).Where(s => s.Command == KcpCommand.Ack).Select(s => s.Number));
        Assert.True(Feed(bench, 0, 0, data.Length, data.AsSpan(0, 1)));
        Assert.Equal(data.Length, bench.User.Received);
    });

    [Fact]
    public void TheWholeSegmentMayOvertakeItsParts()
    {
        var bench = new EngineBench(new KcpOptions { Interval = 10 });
        byte[] data = new byte[10];
        Pattern.Fill(2, 0, data);
        Assert.True(Feed(bench, 0, 0, 10, data.AsSpan(0, 5)));
        bench.Push(1000, 0);
        Assert.True(Feed(bench, 0, 5, 10, data.AsSpan(5)));
        Assert.Equal(10, bench.User.Received);
    }

    [Theory]
    [InlineData(0, 10, 11)]
    [InlineData(5, 10, 6)]
    [InlineData(65535, 65535, 1)]
    [InlineData(0, 9217, 10)]
    [InlineData(0, 0, 1)]
    [InlineData(0, 10, 0)]
    public void PartsOfNoSegmentThatCouldBeAreMalformed(int offset, int total, int length)
    {
        var bench = new EngineBench(new KcpOptions { Interval = 10 });
        Assert.False(Feed(bench, 0, offset, total, new byte[length]));
        Assert.Equal(1, bench.Engine.Counters.Malformed);
    }

    /// <summary>Parts are kept only for what the window takes: a peer that never ends a segment holds no more than that.</summary>
    [Fact]
    public void UnfinishedSegmentsAreBoundedByTheWindow()
    {
        var bench = new EngineBench(new KcpOptions { Interval = 10, ReceiveWindow = 32 });
        for (uint number = 0; number < 1000; number++)
            Assert.True(Feed(bench, number, 0, 9000, new byte[1]));
        Assert.InRange(bench.Engine.MemoryUse, 0, 32 * 2 * 9216);
        Assert.Equal(968, bench.Engine.Counters.OutOfWindow);
    }

    [Fact]
    public void PartsOfWhatWasTakenBeforeTheNumbersCameRoundAreCopies()
    {
        var bench = new EngineBench(new KcpOptions { Interval = 10 }, firstNumber: uint.MaxValue);
        bench.Push(1000, uint.MaxValue, 0);
        bench.Push(1000, 0);
        int memory = bench.Engine.MemoryUse;
        Assert.True(Feed(bench, uint.MaxValue, 0, 9000, new byte[1]));
        Assert.Equal((memory, 1L), (bench.Engine.MemoryUse, bench.Engine.Counters.Duplicates));
    }

    [Fact]
    public void ALengthThatChangesIsNotBelieved()
    {
        var bench = new EngineBench(new KcpOptions { Interval = 10 });
        byte[] data = new byte[10];
        Pattern.Fill(2, 0, data);
        Assert.True(Feed(bench, 0, 0, 10, data.AsSpan(0, 5)));
        int memory = bench.Engine.MemoryUse;
        Assert.True(Feed(bench, 0, 0, 9000, data.AsSpan(0, 5)));
        Assert.Equal(memory, bench.Engine.MemoryUse);
        Assert.True(Feed(bench, 0, 5, 10, data.AsSpan(5)));
        Assert.Equal(10, bench.User.Received);
    }

    /// <summary>Numbers come round: what is left of a segment that arrived otherwise must not become part of its namesake.</summary>
    [Fact]
    public void PartsOfWhatArrivedWholeAreForgotten()
    {
        var bench = new EngineBench(new KcpOptions { Interval = 10 });
        int memory = bench.Engine.MemoryUse;
        Assert.True(Feed(bench, 0, 0, 9000, new byte[5]));
        Assert.True(bench.Push(1000, 0));
        bench.Drain(1000);
        bench.Engine.Trim();
        Assert.Equal(memory, bench.Engine.MemoryUse);
    }

    /// <summary>A segment whose parts are on their way one by one is not taken for another one that is lost meanwhile and comes first.</summary>
    [Fact]
    public void ALowerSegmentMayComeBetweenTheParts()
    {
        var user = new ScriptedUser(2, 1) { ToSend = 2600 };
        var engine = new KcpEngine(new KcpOptions { Interval = 10 }, EngineBench.Conv, user) { PeerTakesParts = true };
        var peer = new EngineBench(new KcpOptions { Interval = 10 });
        byte[] buffer = new byte[KcpEngine.MaximumDatagram];
        while (engine.Transmit(buffer, 1000) != 0)
        {
            // Both are too long for the path.
        }

        Assert.True(engine.TryLimit(600, 1000));
        for (int i = 0; i < 4; i++)
            engine.Transmit(buffer, 1000);
        // Three of these were the first segment's parts, all lost; the fourth was the second's first one.
        engine.Advance(2000);
        for (int length; (length = engine.Transmit(buffer, 2000)) != 0;)
            peer.Engine.Receive(buffer.AsSpan(0, length), 2000);
        Assert.Equal(2600, peer.User.Received);
    }

    private static bool Feed(EngineBench bench, uint number, int offset, int total, ReadOnlySpan<byte> data)
    {
        byte[] datagram = new byte[KcpSegment.HeaderLength + SegmentPart.HeaderLength + data.Length];
        int length = datagram.Length - KcpSegment.HeaderLength;
        new KcpSegment(EngineBench.Conv, KcpCommand.Part, 0, 100, 7, number, 0, (uint)length).Write(datagram);
        new SegmentPart(offset, total).Write(datagram.AsSpan(KcpSegment.HeaderLength));
        data.CopyTo(datagram.AsSpan(KcpSegment.HeaderLength + SegmentPart.HeaderLength));
        return bench.Engine.Receive(datagram, 1000);
    }
}
