using Tunnel.Links.Memory;
using Tunnel.Protocol.Kcp;

namespace Tunnel.Tests.Kcp;

public class PacingTests
{
    private const long Millisecond = 1_000_000;
    private const long Endless = long.MaxValue / 2;

    private static readonly KcpOptions Options = new() { Interval = 10 };

    /// <summary>Of a line of 100 Mbit/s, 99 are data; the rounds that look for more take a quarter more, those after them less.</summary>
    [Fact]
    public void TheRateIsTheLines()
    {
        EnginePair pair = Download(Options, Line(megabits: 100, roundTrip: 40, queueMilliseconds: 40));
        var rates = new List<long>();
        for (int i = 0; i < 200; i++)
        {
            pair.RunFor(10);
            rates.Add(pair.A.PacingRate * 8 / 1_000_000);
        }

        rates.Sort();
        Assert.InRange(rates[0], 60, 100);
        Assert.InRange(rates[rates.Count / 2], 90, 105);
        Assert.InRange(rates[^1], 110, 140);
    }

    /// <summary>Its queue alone holds less than half of the window.</summary>
    [Fact]
    public void AShortQueueIsNotOverrun()
    {
        EnginePair pair = Download(Options, Line(megabits: 100, roundTrip: 40, queueMilliseconds: 40));
        long before = pair.WireA.Counters.Overflowed;
        pair.RunFor(5000);
        Assert.Equal(before, pair.WireA.Counters.Overflowed);
    }

    /// <summary>
    /// Its queue holds five segments, and what nobody knew of the line is lost. What is lost again goes before the rest of that, for nothing arrives
    /// in order without it.
    /// </summary>
    [Fact]
    public void AVerySlowLineIsOfUseFromTheStart()
    {
        EnginePair pair = Greeted(Options, Line(megabits: 2, roundTrip: 20, queueMilliseconds: 30));
        pair.UserA.ToSend = Endless;
        Assert.InRange(Goodput(pair, 1000), 1.2, 2);
    }

    /// <summary>What a session begins with is forty times what such a line takes; the first acknowledgements tell so, not the second round trip's.</summary>
    [Fact]
    public void ASlowLineIsNotFloodedForLong()
    {
        EnginePair pair = Greeted(Options, Line(megabits: 5, roundTrip: 50, queueMilliseconds: 50));
        pair.UserA.ToSend = Endless;
        pair.RunFor(1000);
        Assert.InRange(pair.WireA.Counters.Overflowed, 0, 1000);
    }

    /// <summary>A line that is long and wide is filled within four round trips: what arrives of one is what the next one builds on, at once.</summary>
    [Fact]
    public void AFastLineIsFullSoon()
    {
        KcpOptions wide = Options with { SendWindow = 16_384, ReceiveWindow = 16_384 };
        EnginePair pair = Greeted(wide, Line(megabits: 1000, roundTrip: 100, queueMilliseconds: 100));
        pair.UserA.ToSend = Endless;
        pair.RunFor(400);
        Assert.InRange(pair.UserB.Received, 10_000_000, long.MaxValue);
    }

    [Fact]
    public void ACableIsNotPaced()
    {
        EnginePair pair = Download(Options, Line(megabits: 10_000, roundTrip: 1, queueMilliseconds: 100));
        Assert.Equal(0, pair.A.PacingRate);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void ItCanBeOffAndGoesWithoutACongestionWindowOnly(bool noCongestion, bool pacing)
    {
        EnginePair pair = Download(
            Options with { NoCongestion = noCongestion, Pacing = pacing }, Line(megabits: 100, roundTrip: 40, queueMilliseconds: 40));
        Assert.Equal(0, pair.A.PacingRate);
    }

    [Fact]
    public void ALineThatBecomesSlowerIsFollowed()
    {
        MemoryWireOptions line = Line(megabits: 100, roundTrip: 40, queueMilliseconds: 40);
        EnginePair pair = Download(Options, line);
        pair.WireA.Options.BitsPerSecond = 10_000_000;
        pair.RunFor(6000);
        long received = pair.UserB.Received;
        long lost = pair.WireA.Counters.Overflowed;
        pair.RunFor(5000);
        Assert.InRange((pair.UserB.Received - received) * 8 / 5_000_000.0, 8.5, 10);
        Assert.InRange(pair.WireA.Counters.Overflowed - lost, 0, 500);
    }

    /// <summary>The peer's echo tells the round trip of the newest segment only, and most wait for much longer than that.</summary>
    [Theory]
    [InlineData(6, 40)]
    [InlineData(6, 10)]
    [InlineData(20, 20)]
    [InlineData(50, 40)]
    public void GatheredAcknowledgementsTakeNothingOffTheRate(int roundTrip, int interval)
    {
        KcpOptions gathers = Options with { NoDelay = false, Interval = interval, WriteDelay = true, AckNoDelay = false };
        EnginePair pair = Download(gathers, Line(megabits: 100, roundTrip, queueMilliseconds: 50));
        for (int i = 0; i < 10; i++)
        {
            Assert.InRange(Goodput(pair, 1000), 85, 110);
        }
    }

    /// <summary>A message now and then, of which some are lost and all are late by more or less, looks like a queue to whom it may.</summary>
    [Fact]
    public void ATrickleTakesNothingOffTheRate()
    {
        MemoryWireOptions line = Line(megabits: 100, roundTrip: 50, queueMilliseconds: 50);
        (line.JitterNanoseconds, line.Loss) = (20 * Millisecond, 0.02);
        EnginePair pair = Download(Options, line);
        pair.UserA.ToSend = 0;
        for (int i = 0; i < 1000; i++)
        {
            pair.RunFor(100);
            pair.UserA.ToSend += 200;
        }

        Assert.InRange(pair.A.PacingRate * 8 / 1_000_000, 60, 200);
        pair.UserA.ToSend = Endless;
        Assert.InRange(Goodput(pair, 3000), 60, 100);
    }

    /// <summary>What may be under way by the short path's length must not, on the long one, become less with every round.</summary>
    [Theory]
    [InlineData(true, 40, 2_000)]
    [InlineData(false, 40, 2_000)]
    [InlineData(false, 100, 2_000)]
    [InlineData(false, 100, 30_000)]
    public void APathThatBecomesLongerKeepsItsRate(bool isTold, int roundTrip, int milliseconds)
    {
        EnginePair pair = Download(Options, Line(megabits: 100, roundTrip: 20, queueMilliseconds: 40));
        pair.WireA.Options.DelayNanoseconds = pair.WireB.Options.DelayNanoseconds = roundTrip * Millisecond / 2;
        if (isTold)
            pair.A.RecheckPath(pair.Now);
        pair.RunFor(milliseconds);
        Assert.InRange(Goodput(pair, 2000), 60, 110);
    }

    [Fact]
    public void AVeryLongPathKeepsItsRate()
    {
        EnginePair pair = Download(Options, Line(megabits: 10, roundTrip: 1500, queueMilliseconds: 100));
        pair.RunFor(30_000);
        Assert.InRange(Goodput(pair, 30_000), 7, 10);
    }

    [Fact]
    public void ALineThatBecomesFasterIsUsed()
    {
        EnginePair pair = Download(Options, Line(megabits: 10, roundTrip: 40, queueMilliseconds: 100));
        pair.WireA.Options.BitsPerSecond = 100_000_000;
        pair.RunFor(6000);
        Assert.InRange(Goodput(pair, 2000), 85, 100);
    }

    /// <summary>An application that writes a little now and then is no slow path: what it writes later leaves at once.</summary>
    [Fact]
    public void WhatAnApplicationDoesNotSendSaysNothingOfThePath()
    {
        var pair = new EnginePair(Options, Options, Line(megabits: 100, roundTrip: 40, queueMilliseconds: 40), 1);
        for (int i = 0; i < 100; i++)
        {
            pair.UserA.ToSend = 100;
            pair.RunFor(50);
        }

        Assert.InRange(pair.A.PacingRate * 8 / 1_000_000, 50, long.MaxValue);
        pair.UserA.ToSend = 10_000;
        long before = pair.UserB.Received;
        pair.RunFor(25);
        Assert.Equal(before + 10_000, pair.UserB.Received);
    }

    /// <summary>After a pause nobody has to look how long the path is before what comes then may leave.</summary>
    [Fact]
    public void APauseHoldsNothingUp()
    {
        MemoryWireOptions line = Line(megabits: 100, roundTrip: 50, queueMilliseconds: 50);
        EnginePair pair = Download(Options, line);
        pair.UserA.ToSend = 0;
        pair.RunFor(15_000);
        // The path has become a little longer meanwhile.
        pair.WireA.Options.DelayNanoseconds += 2 * Millisecond;
        pair.UserA.ToSend = Endless;
        pair.RunFor(100);
        Assert.InRange(Goodput(pair, 300), 75, 110);
    }

    /// <summary>A fifth lost, by whatever the faster rounds try, must not look like a path that takes less and less.</summary>
    [Fact]
    public void ALossyLineKeepsItsRate()
    {
        MemoryWireOptions line = Line(megabits: 30, roundTrip: 30, queueMilliseconds: 50);
        line.Loss = 0.2;
        EnginePair pair = Download(Options, line);
        Assert.InRange(Goodput(pair, 10_000), 15, 24);
    }

    /// <summary>
    /// Where much travels the least late of many is late, so that jitter looks like a queue; but what is lost by chance is lost at any rate, so nobody yields
    /// to a crowd that is not there, nor keeps less under way.
    /// </summary>
    [Fact]
    public void WhatAJitteryPathLosesIsNoCrowd()
    {
        MemoryWireOptions line = Line(megabits: 50, roundTrip: 50, queueMilliseconds: 50);
        (line.JitterNanoseconds, line.Loss) = (30 * Millisecond, 0.15);
        double sum = 0;
        for (ulong seed = 1; seed <= 6; seed++)
        {
            var pair = new EnginePair(Options, Options, line, seed);
            pair.UserA.ToSend = Endless;
            pair.RunFor(3000);
            sum += Goodput(pair, 10_000);
        }

        Assert.InRange(sum / 6, 32, 42.5);
    }

    /// <summary>In Mbit/s, over the next so many milliseconds.</summary>
    private static double Goodput(EnginePair pair, long milliseconds)
    {
        long received = pair.UserB.Received;
        pair.RunFor(milliseconds);
        return (pair.UserB.Received - received) * 8 / 1000.0 / milliseconds;
    }

    /// <summary>A word there, so that the path's length is known, as it is when a session's first stream begins.</summary>
    private static EnginePair Greeted(KcpOptions options, MemoryWireOptions line)
    {
        var pair = new EnginePair(options, options, line, 1);
        pair.UserA.ToSend = 200;
        pair.RunFor(500);
        return pair;
    }

    private static EnginePair Download(KcpOptions options, MemoryWireOptions line)
    {
        var pair = new EnginePair(options, options, line, 1);
        pair.UserA.ToSend = Endless;
        pair.RunFor(3000);
        return pair;
    }

    private static MemoryWireOptions Line(int megabits, int roundTrip, int queueMilliseconds) => new()
    {
        DelayNanoseconds = roundTrip * Millisecond / 2,
        BitsPerSecond = megabits * 1_000_000L,
        QueueBytes = megabits * 1000 / 8 * queueMilliseconds,
    };
}
