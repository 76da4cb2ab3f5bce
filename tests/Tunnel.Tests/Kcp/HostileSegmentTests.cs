using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Kcp;

public class HostileSegmentTests
{
    private static readonly KcpOptions Options = new() { Interval = 10 };

    [Theory]
    [InlineData(EngineBench.Conv + 1, 81, 0)]
    [InlineData(EngineBench.Conv, 80, 0)]
    [InlineData(EngineBench.Conv, 85, 0)]
    [InlineData(EngineBench.Conv, 0, 0)]
    [InlineData(EngineBench.Conv, 81, 1501)]
    [InlineData(EngineBench.Conv, 81, uint.MaxValue)]
    [InlineData(EngineBench.Conv, 82, 1)]
    public void Refused(uint conv, byte command, uint length)
    {
        var bench = new EngineBench(Options);
        Assert.False(bench.Feed(0, new KcpSegment(conv, (KcpCommand)command, 0, 9, 0, 0, 0, length)));
        Assert.Equal(1, bench.Engine.Counters.Malformed);
        Assert.Empty(bench.Drain(0));
    }

    [Fact]
    public void TruncatedAtEveryLength()
    {
        byte[] datagram = new byte[KcpSegment.HeaderLength + 10];
        new KcpSegment(EngineBench.Conv, KcpCommand.Push, 0, 9, 0, 0, 0, 10).Write(datagram);
        for (int length = 0; length < datagram.Length; length++)
        {
            var bench = new EngineBench(Options);
            Assert.False(bench.Engine.Receive(datagram.AsSpan(0, length), 0));
            Assert.Equal(0, bench.User.Received);
        }
    }

    [Fact]
    public void WhatCameBeforeTheMalformedSegmentCounts()
    {
        var bench = new EngineBench(Options);
        var push = new KcpSegment(EngineBench.Conv, KcpCommand.Push, 0, 9, 0, 0, 0, 10);
        Assert.False(bench.Feed(0, push, push with { Conv = 1 }));
        Assert.Equal(10, bench.User.Received);
        Assert.Single(bench.Drain(0));
    }

    [Theory]
    [InlineData(6u)]
    [InlineData(1000u)]
    [InlineData(0x7FFF_FFFFu)]
    [InlineData(0x8000_0000u)]
    [InlineData(uint.MaxValue)]
    public void AcknowledgingWhatWasNotSentChangesNothing(uint number)
    {
        var bench = new EngineBench(Options);
        bench.User.ToSend = 5 * Options.SegmentSize;
        bench.Drain(0);
        bench.Ack(1, number, 0, number);
        Assert.Equal(5, bench.Engine.InFlight);
        Assert.Empty(bench.Pushes(1));
    }

    [Theory]
    [InlineData(0x7FFF_FFFFu)]
    [InlineData(0x8000_0000u)]
    [InlineData(uint.MaxValue)]
    public void NumbersFarAwayTakeNoMemory(uint number)
    {
        var bench = new EngineBench(Options);
        int before = bench.Engine.MemoryUse;
        bench.Push(0, number);
        bench.Drain(0);
        Assert.Equal((before, 0), (bench.Engine.MemoryUse, bench.User.Received));
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(0x8000_000Bu)]
    [InlineData(uint.MaxValue)]
    public void AFalseEchoLeavesAUsableTimeout(uint timestamp)
    {
        var bench = new EngineBench(Options);
        bench.User.ToSend = 1;
        bench.Drain(5);
        for (int i = 0; i < 10; i++)
            bench.Ack(10, 0, timestamp, 1);
        Assert.InRange(bench.Engine.RetransmissionTimeout, 30, 60_000);
        Assert.InRange(bench.Engine.SmoothedRoundTrip, 0, 60_000);
    }

    /// <summary>What a peer said in another conversation, or in this one before, can be repeated by anybody, from anywhere.</summary>
    [Theory]
    [InlineData(0u, 4000u, 0u, false)]
    [InlineData(0u, 4000u, 1u, false)]
    [InlineData(9u, 5000u, 0u, false)]
    [InlineData(0u, 5000u, 0u, true)]
    [InlineData(0u, 5000u, 1u, true)]
    public void OnlyTheEchoOfATransmissionProvesThePeer(uint number, uint timestamp, uint una, bool expected)
    {
        var bench = new EngineBench(Options);
        bench.User.ToSend = 1;
        bench.Drain(5000);
        Assert.True(bench.Ack(5010, number, timestamp, una));
        Assert.Equal(expected, bench.Engine.PeerAnswered);
    }

    [Theory]
    [InlineData(KcpEngine.LargestDatagram, true)]
    [InlineData(KcpEngine.LargestDatagram + 1, false)]
    public void NoSegmentIsLongerThanADatagramCanBe(int length, bool expected)
    {
        var bench = new EngineBench(Options);
        byte[] datagram = new byte[KcpSegment.HeaderLength + length];
        new KcpSegment(EngineBench.Conv, KcpCommand.Push, 0, 9, 0, 1, 0, (uint)length).Write(datagram);
        Assert.Equal(expected, bench.Engine.Receive(datagram, 0));
    }

    /// <summary>What is to be acknowledged waits while nothing can leave; there is an end to that.</summary>
    [Fact]
    public void AcknowledgementsThatCannotLeaveDoNotPileUpForEver()
    {
        var bench = new EngineBench(Options);
        for (uint number = 0; number < 1000; number++)
            bench.Push(0, number);
        bench.Drain(0);
        for (uint i = 0; i < 300_000; i++)
            bench.Push(0, i % 1000);
        Assert.InRange(bench.Engine.MemoryUse, 1, 1_200_000);
        Assert.Equal(KcpCommand.Ack, bench.Drain(0)[^1].Command);
    }

    /// <summary>A datagram of acknowledgements that somebody repeats is neither a round trip nor a sign of life.</summary>
    [Fact]
    public void RepeatedAcknowledgementsKeepNothingBack()
    {
        var bench = new EngineBench(Options);
        bench.User.ToSend = 1;
        bench.Drain(1000);
        bench.Ack(1020, 0, 1000, 1);
        int timeout = bench.Engine.RetransmissionTimeout;
        bench.User.ToSend = 1;
        Assert.Equal([1u], bench.Pushes(100_000));
        bool sentAgain = false;
        // The timeout, and what a peer that is asked has to answer in.
        for (long now = 100_000; now < 100_000 + timeout + 220; now += 10)
        {
            bench.Ack(now, 0, 1000, 1);
            sentAgain |= bench.AdvanceAndDrain(now).Any(s => s.Number == 1);
        }

        Assert.True(sentAgain);
        Assert.Equal((timeout, 20), (bench.Engine.RetransmissionTimeout, bench.Engine.SmoothedRoundTrip));
    }

    [Fact]
    public void AnyGarbageIsSurvived() => TestSeed.Run(300, seed =>
    {
        var random = new Prng(seed);
        KcpOptions options = Options with { SendWindow = 16, ReceiveWindow = 16, NoCongestion = random.Chance(0.5) };
        var engine = new KcpEngine(options, EngineBench.Conv, new GarbageUser());
        byte[] buffer = new byte[1500];
        long now = 0;
        for (int i = 0; i < 300; i++)
        {
            int length = Mutated(ref random, buffer);
            engine.Receive(buffer.AsSpan(0, length), now, random.Chance(0.9));
            now += random.Next(100);
            engine.Advance(now);
            for (int n = 0; engine.Transmit(buffer, now) != 0; n++)
                Assert.True(n < 1000);
            Assert.True(engine.Deadline > now);
            Assert.InRange(engine.InFlight, 0, 16);
        }

        Assert.InRange(engine.MemoryUse, 0, 500_000);
    });

    /// <summary>Segments whose fields are near to what could be true.</summary>
    private static int Mutated(ref Prng random, Span<byte> buffer)
    {
        int used = 0;
        for (int n = random.Next(8); n >= 0 && buffer.Length - used > 200; n--)
        {
            uint length = (uint)random.Next(100);
            new KcpSegment(
                random.Chance(0.99) ? EngineBench.Conv : 1,
                (KcpCommand)(81 + random.Next(random.Chance(0.02) ? 8 : 4)),
                0,
                (ushort)random.Next(random.Chance(0.2) ? 1 : 65_536),
                random.Chance(0.5) ? random.NextUInt32() : (uint)random.Next(1000),
                random.Chance(0.1) ? random.NextUInt32() : (uint)random.Next(60),
                random.Chance(0.1) ? random.NextUInt32() : (uint)random.Next(60),
                random.Chance(0.01) ? random.NextUInt32() : length).Write(buffer[used..]);
            used += KcpSegment.HeaderLength + (int)length;
        }

        return used;
    }

    private sealed class GarbageUser : IOrderedByteUser
    {
        private int _calls;

        public bool HasOutput => true;

        public bool TryDeliver(ReadOnlySpan<byte> data) => ++_calls % 3 != 0;

        public int Fill(Span<byte> destination) => Math.Min(destination.Length, 100);
    }
}
