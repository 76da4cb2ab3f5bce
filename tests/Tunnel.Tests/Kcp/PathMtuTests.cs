using Tunnel.Links.Memory;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Kcp;

/// <summary>Two engines whose datagrams grow and shrink with what the path between them carries.</summary>
public class PathMtuTests
{
    private const int Safe = 1172;
    private const int Link = 1420;

    private static readonly KcpOptions Options = new() { Mtu = 1334, Interval = 10, SendWindow = 256, ReceiveWindow = 256 };

    [Theory]
    [InlineData(Link, Link)]
    [InlineData(8900, 8900)]
    [InlineData(1000, 1000)]
    public void WhatTheLinkTakesIsUsedAfterOneRoundTripIfThePathCarriesIt(int link, int expected)
    {
        EnginePair pair = Pair(link, path: 0);
        pair.RunUntil(() => pair.A.Mtu == expected, 25);
        Assert.InRange(pair.A.Counters.PathProbes, 0, 2);
    }

    [Fact]
    public void ANarrowerPathIsFoundToEightBytesFromBelow() => TestSeed.Run(200, seed =>
    {
        var random = new Prng(seed);
        int path = Safe + random.Next(Link - Safe);
        EnginePair pair = Pair(Link, path, random.NextDouble() * 0.1, seed);
        pair.UserA.ToSend = 100_000;
        pair.RunUntil(() => pair.UserB.Received == 100_000, 60_000);
        pair.RunUntil(() => pair.A.Deadline - pair.Now > 60_000, 60_000);
        Assert.InRange(pair.A.Mtu, Safe, path);
        if (pair.WireA.Options.Loss < 0.02)
            Assert.InRange(pair.A.Mtu, path - 8, path);
    });

    [Fact]
    public void ADeadPathSaysNothingAboutLengths()
    {
        EnginePair pair = Pair(Link, path: 0);
        pair.RunUntil(() => pair.A.Mtu == Link, 100);
        pair.WireA.Options.Loss = pair.WireB.Options.Loss = 1;
        pair.UserA.ToSend = 500_000;
        pair.RunUntil(() => pair.Now > 30_000, 31_000);
        Assert.Equal(Link, pair.A.Mtu);
        pair.WireA.Options.Loss = pair.WireB.Options.Loss = 0;
        pair.RunUntil(() => pair.UserB.Received == 500_000, 120_000);
        Assert.Equal((Link, 0), (pair.A.Mtu, pair.A.Counters.PathBlackHoles));
    }

    /// <summary>What was numbered before the path became narrow goes on in parts; not a byte is lost, and nobody waits for minutes.</summary>
    [Theory]
    [InlineData(Link, 1300)]
    [InlineData(Link, Safe)]
    [InlineData(8900, Safe)]
    public void ABlackHoleIsNoticedAndWhatIsInFlightArrivesInParts(int before, int after)
    {
        EnginePair pair = Pair(before, path: 0);
        pair.RunUntil(() => pair.A.Mtu == before && pair.B.Mtu == before, 100);
        pair.UserA.ToSend = 4_000_000;
        pair.RunUntil(() => pair.A.InFlight == 256, 100);
        pair.WireA.Options.Mtu = after;
        long at = pair.Now;
        pair.RunUntil(() => pair.A.Counters.PathBlackHoles == 1, 5000);
        pair.RunUntil(() => pair.UserB.Received == 4_000_000, 60_000);
        Assert.InRange(pair.A.Mtu, after - 8, after);
        Assert.Equal(before, pair.B.Mtu);
        Assert.True(pair.A.Counters.SegmentsInParts >= 100);
        Assert.InRange(pair.Now - at, 0, 20_000);
        pair.RunUntil(() => pair.A.InFlight == 0, 1000);
    }

    [Fact]
    public void LossAloneIsNoBlackHole() => TestSeed.Run(20, seed =>
    {
        EnginePair pair = Pair(Link, path: 0, loss: 0, seed);
        pair.RunUntil(() => pair.A.Mtu == Link, 100);
        pair.WireA.Options.Loss = pair.WireB.Options.Loss = 0.15;
        pair.UserA.ToSend = 2_000_000;
        pair.RunUntil(() => pair.UserB.Received == 2_000_000, 600_000);
        pair.WireA.Options.Loss = pair.WireB.Options.Loss = 0;
        pair.RunUntil(() => pair.A.Deadline - pair.Now > 60_000, 60_000);
        Assert.True(pair.A.Counters.PathBlackHoles == 0 || pair.A.Mtu > Link - 16, $"mtu {pair.A.Mtu}");
    });

    [Fact]
    public void APathThatGetsBetterIsNoticedAfterTenMinutes()
    {
        EnginePair pair = Pair(Link, path: 1300);
        pair.RunUntil(() => pair.A.Deadline - pair.Now > 60_000, 60_000);
        Assert.InRange(pair.A.Mtu, 1292, 1300);
        pair.WireA.Options.Mtu = 0;
        pair.RunUntil(() => pair.A.Mtu == Link, 610_000);
        Assert.InRange(pair.Now, 600_000, 610_000);
    }

    [Fact]
    public void TheLinksOwnLimitIsFollowedBothWays()
    {
        EnginePair pair = Pair(Link, path: 0);
        pair.RunUntil(() => pair.A.Mtu == Link, 100);
        pair.UserA.ToSend = 2_000_000;
        pair.RunUntil(() => pair.A.InFlight == 256, 100);
        Assert.True(pair.A.TryLimit(1200, pair.Now));
        Assert.Equal(1200, pair.A.Mtu);
        pair.WireA.Options.Mtu = 1200;
        pair.RunUntil(() => pair.UserB.Received == 2_000_000, 5000);
        Assert.True(pair.A.TryLimit(Link, pair.Now));
        pair.WireA.Options.Mtu = 0;
        pair.RunUntil(() => pair.A.Mtu == Link, 1000);
    }

    /// <summary>A datagram may be too short for what is a worthwhile part elsewhere; parts go on all the same.</summary>
    [Theory]
    [InlineData(100)]
    [InlineData(200)]
    [InlineData(283)]
    public void AVeryNarrowLinkTakesSmallParts(int limit)
    {
        var wire = new MemoryWireOptions { DelayNanoseconds = 10_000_000, Loss = 1 };
        var pair = new EnginePair(Options, Options, wire, seed: 1);
        pair.A.PeerTakesParts = pair.B.PeerTakesParts = true;
        pair.UserA.ToSend = 20_000;
        pair.RunFor(1);
        Assert.True(pair.A.TryLimit(limit, pair.Now));
        pair.WireA.Options.Loss = pair.WireB.Options.Loss = 0;
        pair.WireA.Options.Mtu = limit;
        pair.RunUntil(() => pair.UserB.Received == 20_000, 5000);
        Assert.True(pair.A.Counters.SegmentsInParts > 0);
    }

    /// <summary>A stock peer takes nothing in parts: what is in flight can never arrive.</summary>
    [Fact]
    public void WithoutPartsALimitBelowWhatIsInFlightEndsTheConversation()
    {
        var bench = new EngineBench(Options);
        Assert.True(bench.Engine.TryLimit(1200, 0));
        Assert.Equal(1200, bench.Engine.Mtu);
        bench.User.ToSend = 10_000;
        bench.Drain(1000);
        Assert.True(bench.Engine.TryLimit(1300, 1000));
        Assert.False(bench.Engine.TryLimit(1100, 1000));
    }

    [Fact]
    public void ProbesArePaddedAndCarryNothingElse()
    {
        var bench = new EngineBench(Options);
        bench.Engine.ProbePath(Safe, Link, 1000);
        Assert.Equal(Link, bench.Engine.ProbeLength);
        byte[] probe = [.. Enumerable.Repeat((byte)0xAA, Link)];
        bench.Engine.TransmitProbe(probe, 1000);
        Assert.True(KcpSegment.TryRead(probe, out KcpSegment segment));
        Assert.Equal((KcpCommand.PathProbe, (uint)Link, (uint)Link - 24), (segment.Command, segment.Number, segment.Length));
        Assert.True(probe.AsSpan(24).IndexOfAnyExcept((byte)0) < 0);
        Assert.Equal(Safe, bench.Engine.ProbeLength);
    }

    [Fact]
    public void AnAnswerToAnotherTryMeansNothing()
    {
        var bench = new EngineBench(Options);
        bench.Engine.ProbePath(Safe, Link, 1000);
        byte[] probe = new byte[Link];
        bench.Engine.TransmitProbe(probe, 1000);
        Assert.True(bench.Feed(1001, Answer(Link, 999)));
        Assert.True(bench.Feed(1001, Answer(Link - 1, 1000)));
        Assert.Equal(Safe, bench.Engine.Mtu);
        Assert.True(bench.Feed(1001, Answer(Link, 1000)));
        Assert.Equal(Link, bench.Engine.Mtu);
    }

    /// <summary>What is lost although the length passes is lost by chance: for some seconds nobody asks again, and the next look is no later for it.</summary>
    [Fact]
    public void ASuspicionThatProvedWrongIsFollowedByCalm()
    {
        var path = new PathMtu();
        path.Begin(Safe, Link, 1000);
        Answer(path, Link, 1000);
        long look = path.Deadline;
        Assert.Equal(0, path.Due);
        path.Suspect(100_000);
        Answer(path, Link, 100_020);
        path.Suspect(105_000);
        Assert.Equal((0, look), (path.Due, path.Deadline));
        path.Suspect(105_020);
        Assert.Equal(Link, path.Due);
    }

    /// <summary>What loses by chance raises suspicions while a longer length is under test: its failures still count, or the search would never end.</summary>
    [Fact]
    public void ASuspicionDoesNotBeginTheTestOfALongerLengthAnew()
    {
        var path = new PathMtu();
        path.Begin(Safe, Link, 0);
        AnswerCompanionOnly(path, Link, 0);
        AnswerCompanionOnly(path, Link, path.Deadline);
        AnswerCompanionOnly(path, Link, path.Deadline);
        Assert.InRange(path.Due, Safe + 1, Link - 1);
        int passes = path.Due;
        Answer(path, passes, 10_000);
        int open = path.Due;
        AnswerCompanionOnly(path, open, 10_000);
        AnswerCompanionOnly(path, open, path.Deadline);
        path.Suspect(20_000);
        Answer(path, passes, 20_000);
        AnswerCompanionOnly(path, open, 20_000);
        Assert.InRange(path.Due, passes + 1, open - 1);
        Assert.Equal((passes, 0), (path.InUse, path.BlackHoles));
    }

    /// <summary>Late answers are told from those to the newest try, however soon one follows the other.</summary>
    [Fact]
    public void NoTwoTriesHaveTheSameStamp()
    {
        var path = new PathMtu();
        path.Begin(Safe, Link, 1000);
        uint first = path.Stamp;
        path.Recheck(1000);
        Assert.NotEqual(first, path.Stamp);
    }

    private static void Answer(PathMtu path, int length, long now)
    {
        Assert.Equal(length, path.Due);
        path.OnSent(now, 100);
        path.OnSent(now, 100);
        path.OnAnswer(length, path.Stamp, now);
    }

    /// <summary>A try whose longer probe gets lost, until it is judged.</summary>
    private static void AnswerCompanionOnly(PathMtu path, int length, long now)
    {
        path.Advance(now);
        Assert.Equal(length, path.Due);
        path.OnSent(now, 100);
        path.OnSent(now, 100);
        path.OnAnswer(Safe, path.Stamp, now);
        path.Advance(path.Deadline);
    }

    /// <summary>Nobody asked, or asks for more than is answered at a time: small answers, and few.</summary>
    [Fact]
    public void StrangeProbesAndAnswersAreHarmless()
    {
        var bench = new EngineBench(Options);
        Assert.True(bench.Feed(1000, Answer(9000, 1)));
        Assert.False(bench.Feed(1000, new KcpSegment(EngineBench.Conv, KcpCommand.PathProbe, 0, 10, 5, 99, 0, 0)));
        var probe = new KcpSegment(EngineBench.Conv, KcpCommand.PathProbe, 0, 10, 5, 24, 0, 0);
        Assert.True(bench.Feed(1000, Enumerable.Repeat(probe, 50).ToArray()));
        Assert.Equal(4, bench.Drain(1000).Count(s => s.Command == KcpCommand.PathAnswer));
        Assert.Empty(bench.Drain(1000));
    }

    private static KcpSegment Answer(int length, uint stamp) =>
        new(EngineBench.Conv, KcpCommand.PathAnswer, 0, 100, stamp, (uint)length, 0, 0);

    private static EnginePair Pair(int link, int path, double loss = 0, ulong seed = 1)
    {
        var wire = new MemoryWireOptions { DelayNanoseconds = 10_000_000, Loss = loss };
        var pair = new EnginePair(Options, Options, wire, seed);
        pair.WireA.Options.Mtu = path;
        pair.A.PeerTakesParts = pair.B.PeerTakesParts = true;
        pair.A.ProbePath(Safe, link, 0);
        pair.B.ProbePath(Safe, link, 0);
        return pair;
    }
}
