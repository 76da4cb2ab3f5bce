using System.Buffers.Binary;
using Tunnel.Links.Memory;

namespace Tunnel.Tests.Links;

public sealed class MemoryWireTests
{
    private const long Millisecond = 1_000_000;

    [Fact]
    public void Plain_wire_delivers_all_in_order_at_the_delay()
    {
        var wire = new MemoryWire(new MemoryWireOptions { DelayNanoseconds = 5 * Millisecond }, 1);
        wire.Offer([1], 0);
        wire.Offer([2, 2], 0);
        Assert.Equal(5 * Millisecond, wire.NextArrival);
        Assert.False(wire.TryTake((5 * Millisecond) - 1, new byte[9], out _));
        Assert.True(wire.TryTake(5 * Millisecond, new byte[9], out int first));
        Assert.True(wire.TryTake(5 * Millisecond, new byte[9], out int second));
        Assert.Equal((1, 2), (first, second));
        Assert.Equal(long.MaxValue, wire.NextArrival);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(77)]
    public void Same_seed_same_story(ulong seed)
    {
        Assert.Equal(Story(seed, out MemoryWireCounters first), Story(seed, out MemoryWireCounters second));
        Assert.Equal(first, second);
        Assert.NotEqual(Story(seed, out _), Story(seed + 1, out _));
        Assert.True(first is { Lost: > 0, Duplicated: > 0, Reordered: > 0, Corrupted: > 0, BlackedOut: > 0, Overflowed: > 0 });
    }

    [Theory]
    [InlineData(0.01)]
    [InlineData(0.2)]
    public void Loss_is_as_frequent_as_asked(double loss)
    {
        var wire = new MemoryWire(new MemoryWireOptions { Loss = loss }, 42);
        Assert.InRange(Send(wire, 20_000).Lost / 20_000.0, loss * 0.8, loss * 1.2);
    }

    /// <summary>
    /// People give small numbers, and the two directions of a link have a seed and its complement: both are as good as any, from the first packet
    /// on, and know nothing of each other. A single seed proves nothing: one in a thousand loses none of its first 134.
    /// </summary>
    [Fact]
    public void Small_seeds_and_their_complements_are_as_good_as_any()
    {
        const int seeds = 1000, packets = 134;
        var options = new MemoryWireOptions { Loss = 0.05 };
        int there = 0, back = 0, both = 0, spared = 0;
        for (ulong seed = 0; seed < seeds; seed++)
        {
            HashSet<int> lostThere = Lost(new MemoryWire(options, seed), packets), lostBack = Lost(new MemoryWire(options, ~seed), packets);
            there += lostThere.Count;
            back += lostBack.Count;
            both += lostThere.Count(lostBack.Contains);
            spared += (lostThere.Count == 0 ? 1 : 0) + (lostBack.Count == 0 ? 1 : 0);
        }

        // 6700 with a deviation of 80; 335 with one of 18; 2.
        Assert.InRange(there, 6380, 7020);
        Assert.InRange(back, 6380, 7020);
        Assert.InRange(both, 263, 407);
        Assert.InRange(spared, 0, 8);
    }

    [Fact]
    public void Burst_losses_come_in_bursts()
    {
        var wire = new MemoryWire(new MemoryWireOptions { BurstBegin = 0.01, BurstEnd = 0.1 }, 42);
        Send(wire, 20_000);
        List<int> got = Take(wire, long.MaxValue);
        int gaps = got.Zip(got.Skip(1)).Count(p => p.Second > p.First + 1);

        // Mean burst 10, so a share of 1/11 is lost in about 180 gaps; single losses of that share would leave some 1600.
        Assert.InRange(wire.Counters.Lost, 1200, 2500);
        Assert.InRange(gaps, 120, 260);
    }

    [Fact]
    public void Duplicates_arrive_twice_and_corruption_flips_one_bit()
    {
        var wire = new MemoryWire(new MemoryWireOptions { Duplicate = 1, Corrupt = 1 }, 3);
        byte[] sent = new byte[100];
        wire.Offer(sent, 0);
        byte[] got = new byte[100];
        for (int i = 0; i < 2; i++)
        {
            Assert.True(wire.TryTake(0, got, out int length));
            Assert.Equal(100, length);
            Assert.Equal(1, got.Sum(b => System.Numerics.BitOperations.PopCount(b)));
        }

        Assert.Equal(0, wire.InFlight);
    }

    [Fact]
    public void Jitter_keeps_the_order_and_reordering_does_not()
    {
        var jitter = new MemoryWire(new MemoryWireOptions { JitterNanoseconds = 20 * Millisecond }, 5);
        Send(jitter, 1000);
        Assert.Equal(Enumerable.Range(0, 1000), Take(jitter, long.MaxValue));

        var reorder = new MemoryWire(new MemoryWireOptions { Reorder = 0.1, ReorderDelayNanoseconds = 5 * Millisecond }, 5);
        Send(reorder, 1000);
        List<int> got = Take(reorder, long.MaxValue);
        Assert.NotEqual(Enumerable.Range(0, 1000), got);
        Assert.Equal(Enumerable.Range(0, 1000), got.Order());
    }

    [Fact]
    public void Rate_limit_spaces_datagrams_and_its_queue_is_bounded()
    {
        // 1000 bytes at 8 Mbit/s are a millisecond.
        var options = new MemoryWireOptions { BitsPerSecond = 8_000_000, QueueBytes = 10_000 };
        var wire = new MemoryWire(options, 5);
        for (int i = 0; i < 15; i++)
            wire.Offer(new byte[1000], 0);
        Assert.Equal(5, wire.Counters.Overflowed);
        Assert.Equal(10, wire.InFlight);
        for (int i = 1; i <= 10; i++)
        {
            Assert.Equal(i * Millisecond, wire.NextArrival);
            Assert.True(wire.TryTake(wire.NextArrival, new byte[1000], out _));
        }
    }

    [Fact]
    public void Blackout_takes_what_is_offered_in_it_and_nothing_else()
    {
        var wire = new MemoryWire(new MemoryWireOptions { Blackouts = [new Blackout(100, 200)] }, 5);
        foreach (long time in (long[])[99, 100, 150, 199, 200])
            wire.Offer([1], time);
        Assert.Equal(3, wire.Counters.BlackedOut);
        Assert.Equal(2, wire.InFlight);
    }

    [Fact]
    public void What_is_on_its_way_is_bounded_and_carries_its_tag()
    {
        var wire = new MemoryWire(new MemoryWireOptions { DelayNanoseconds = 1000, MaximumBytesInFlight = 250 }, 1);
        for (ulong tag = 7; tag < 10; tag++)
            wire.Offer(new byte[100], 0, tag);
        Assert.Equal((2, 200L, 1L), (wire.InFlight, wire.BytesInFlight, wire.Counters.Overflowed));
        byte[] buffer = new byte[100];
        Assert.True(wire.TryTake(1000, buffer, out _, out ulong first));
        Assert.True(wire.TryTake(1000, buffer, out _, out ulong second));
        Assert.Equal((7ul, 8ul, 0L), (first, second, wire.BytesInFlight));
    }

    [Fact]
    public void After_the_faults_stop_all_arrives()
    {
        var wire = new MemoryWire(new MemoryWireOptions { Loss = 0.5, BurstBegin = 0.5, BurstEnd = 0.01, Corrupt = 1, Reorder = 0.5 }, 5);
        Send(wire, 1000);
        Take(wire, long.MaxValue);
        wire.Options.StopFaults();
        long lost = wire.Counters.Lost;
        Send(wire, 1000);
        Assert.Equal(Enumerable.Range(0, 1000), Take(wire, long.MaxValue));
        Assert.Equal(lost, wire.Counters.Lost);
    }

    private static string Story(ulong seed, out MemoryWireCounters counters)
    {
        var wire = new MemoryWire(
            new MemoryWireOptions
            {
                DelayNanoseconds = 10 * Millisecond,
                JitterNanoseconds = 3 * Millisecond,
                Loss = 0.02,
                BurstBegin = 0.01,
                Duplicate = 0.02,
                Reorder = 0.02,
                Corrupt = 0.02,
                BitsPerSecond = 30_000,
                QueueBytes = 500,
                Blackouts = [new Blackout(20_000_000, 50_000_000)],
            },
            seed);
        Send(wire, 2000);
        counters = wire.Counters;
        return string.Join(' ', Take(wire, long.MaxValue));
    }

    /// <summary>Offers numbered datagrams, one a millisecond.</summary>
    private static MemoryWireCounters Send(MemoryWire wire, int count)
    {
        byte[] datagram = new byte[4];
        for (int i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(datagram, i);
            wire.Offer(datagram, i * Millisecond);
        }

        return wire.Counters;
    }

    private static HashSet<int> Lost(MemoryWire wire, int packets)
    {
        Send(wire, packets);
        return [.. Enumerable.Range(0, packets).Except(Take(wire, long.MaxValue))];
    }

    private static List<int> Take(MemoryWire wire, long now)
    {
        byte[] datagram = new byte[4];
        List<int> got = [];
        while (wire.NextArrival != long.MaxValue && wire.TryTake(now, datagram, out _))
            got.Add(BinaryPrimitives.ReadInt32LittleEndian(datagram));
        return got;
    }
}
