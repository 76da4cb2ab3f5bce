using Tunnel.Links.Memory;
using Tunnel.Protocol.Kcp;
using Tunnel.Protocol.Primitives;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Kcp;

public class EnginePairTests
{
    private const long Millisecond = 1_000_000;
    private const long Hour = 3_600_000;

    private static readonly KcpOptions Options = new() { Interval = 10 };

    [Theory]
    [InlineData(1, 20_000)]
    [InlineData(2, 100_000)]
    [InlineData(128, 1_000_000)]
    [InlineData(65_535, 5_000_000)]
    public void EveryWindow(int window, int bytes)
    {
        KcpOptions options = Options with { SendWindow = window, ReceiveWindow = window };
        var pair = new EnginePair(options, options, new MemoryWireOptions { DelayNanoseconds = 5 * Millisecond }, 1);
        Exchange(pair, bytes);
        Assert.Equal(0, pair.A.Counters.TimeoutRetransmits);
    }

    [Fact]
    public void ManySmallWrites()
    {
        var pair = new EnginePair(Options, Options, new MemoryWireOptions { DelayNanoseconds = 5 * Millisecond, Loss = 0.05 }, 1);
        pair.UserA.LargestPiece = 7;
        pair.UserB.LargestPiece = 1;
        Exchange(pair, 3_000);
    }

    [Fact]
    public void NumbersAndTimestampsWrap() => TestSeed.Run(20, seed =>
    {
        var wire = new MemoryWireOptions { DelayNanoseconds = 20 * Millisecond, Loss = 0.1, Reorder = 0.1, Duplicate = 0.1 };
        var pair = new EnginePair(Options, Options, wire, seed, uint.MaxValue - 100, uint.MaxValue - 60L);
        Exchange(pair, 500_000);
        Assert.True(pair.Now > uint.MaxValue);
        Assert.InRange(pair.A.SmoothedRoundTrip, 30, 100);
    });

    [Fact]
    public void AnyOptionsOverAnyWire() => TestSeed.Run(60, seed =>
    {
        var random = new Prng(seed);
        var wire = new MemoryWireOptions
        {
            DelayNanoseconds = random.Next(100) * Millisecond,
            JitterNanoseconds = random.Next(30) * Millisecond,
            Loss = random.NextDouble() * 0.3,
            Reorder = random.NextDouble() * 0.3,
            Duplicate = random.NextDouble() * 0.3,
            ReorderDelayNanoseconds = random.Next(100) * Millisecond,
        };
        var pair = new EnginePair(Draw(ref random), Draw(ref random), wire, seed);
        Exchange(pair, 1 + random.Next(200_000));
    });

    [Fact]
    public void AReaderThatStopsAndGoesOn()
    {
        KcpOptions options = Options with { ReceiveWindow = 16 };
        var pair = new EnginePair(options, options, new MemoryWireOptions { DelayNanoseconds = 5 * Millisecond }, 3);
        pair.UserB.Accepts = false;
        pair.UserA.ToSend = 100_000;
        pair.RunUntil(() => pair.A.RemoteWindow == 0 && pair.Now > 30_000, Hour);
        Assert.Equal(0, pair.UserB.Received);
        // The tell that the window is open is lost: a probe finds out.
        pair.UserB.Accepts = true;
        pair.WireB.Options.Loss = 1;
        pair.B.DeliverWaiting();
        long reopened = pair.Now;
        pair.RunUntil(() => pair.Now > reopened, Hour);
        pair.WireB.Options.Loss = 0;
        pair.RunUntil(() => pair.UserB.Received == 100_000 && pair.A.InFlight == 0, 240_000);
    }

    [Fact]
    public void MemoryIsGivenBack()
    {
        var pair = new EnginePair(Options, Options, new MemoryWireOptions { DelayNanoseconds = 5 * Millisecond, Loss = 0.02 }, 4);
        int before = pair.A.MemoryUse + pair.B.MemoryUse;
        Exchange(pair, 3_000_000);
        Assert.InRange(pair.A.MemoryUse, 500_000, 10_000_000);
        pair.A.Reclaim();
        pair.B.Reclaim();
        Assert.InRange(pair.A.MemoryUse + pair.B.MemoryUse, before, 120_000);
        Exchange(pair, 100_000);
    }

    /// <summary>A window in use is not made anew each time that it happens to be empty.</summary>
    [Fact]
    public void MemoryThatWasNeededStaysUntilItIsNot()
    {
        var pair = new EnginePair(Options, Options, new MemoryWireOptions { DelayNanoseconds = 5 * Millisecond, Loss = 0.02 }, 4);
        int before = pair.A.MemoryUse + pair.B.MemoryUse;
        Exchange(pair, 3_000_000);
        for (int i = 0; i < 3; i++)
        {
            pair.A.Trim();
            pair.B.Trim();
            Assert.InRange(pair.A.MemoryUse, 500_000, 10_000_000);
            Exchange(pair, 3_000_000);
        }

        for (int i = 0; i < 2; i++)
        {
            pair.A.Trim();
            pair.B.Trim();
        }

        Assert.InRange(pair.A.MemoryUse + pair.B.MemoryUse, before, 120_000);
    }

    [Fact]
    public void MemoryMayBeGivenBackWithinADelivery() => TestSeed.Run(20, seed =>
    {
        var wire = new MemoryWireOptions { DelayNanoseconds = 5 * Millisecond, Loss = 0.1, Reorder = 0.1, Duplicate = 0.1 };
        var pair = new EnginePair(Options, Options, wire, seed);
        int given = 0;
        pair.UserA.OnDelivery = pair.UserB.OnDelivery = () =>
        {
            int before = pair.A.MemoryUse + pair.B.MemoryUse;
            pair.A.Reclaim();
            pair.B.Trim();
            given += before - pair.A.MemoryUse - pair.B.MemoryUse;
        };
        for (int i = 0; i < 10; i++)
            Exchange(pair, 50_000);
        Assert.True(given > 0);
    });

    private static void Exchange(EnginePair pair, int bytes)
    {
        long receivedA = pair.UserA.Received + bytes, receivedB = pair.UserB.Received + bytes;
        pair.UserA.ToSend = pair.UserB.ToSend = bytes;
        pair.RunUntil(
            () => pair.UserA.Received == receivedA && pair.UserB.Received == receivedB && pair.A.InFlight == 0 && pair.B.InFlight == 0,
            Hour);
        Assert.Equal((0, 0), (pair.A.BytesInFlight, pair.B.BytesInFlight));
    }

    private static KcpOptions Draw(ref Prng random) => new()
    {
        Mtu = 100 + random.Next(1400),
        NoDelay = random.Chance(0.5),
        Interval = 10 + random.Next(40),
        Resend = random.Next(4),
        NoCongestion = random.Chance(0.7),
        WriteDelay = random.Chance(0.5),
        AckNoDelay = random.Chance(0.5),
        Pacing = random.Chance(0.5),
        SendWindow = 1 + random.Next(300),
        ReceiveWindow = 16 + random.Next(300),
    };
}
