using Tunnel.Protocol.Crypto;
using Tunnel.Protocol.Wire;
using Tunnel.Tests.Support;
using Tunnel.Tests.Vectors;

namespace Tunnel.Tests.Crypto;

public class GuardTests
{
    private const long Now = 1_700_000_000;
    private const int Window = 30;

    private static readonly byte[] Key = Guard.DeriveKey("test-key");

    [Fact]
    public void TheKeyAndTheCookieOfTheWireFormat()
    {
        byte[] prefix = new byte[Guard.PrefixLength];
        At(Now).Write(prefix);

        Assert.Equal("2ebd51a706e6a07b1fee9497f2f99289d610bd51f9e3c3ef47f900590e93fc3f", Convert.ToHexStringLower(Key));
        Assert.Equal("50515431" + "b11353ecde53cb1d", Convert.ToHexStringLower(prefix));
    }

    [Fact]
    public void RecordedCookiesHoldAtTheTimeOfTheirPackets()
    {
        List<PcapPacket> packets = PcapFile.Read(Recordings.Guarded);
        Guard guard = new(Guard.DeriveKey(Recordings.Key), "PQT1"u8, Window, 1, packets[0].UnixSeconds);
        foreach (PcapPacket packet in packets)
        {
            Assert.Equal(WireDrop.None, TcpSegment.TryParse(packet.Frame, out TcpSegment segment));
            guard.Refresh(packet.UnixSeconds);
            Assert.Equal(GuardVerdict.Pass, guard.Check(segment.Payload));
            Assert.Equal(1, Count(guard.Split(segment.Payload)));
        }
    }

    [Theory]
    [InlineData(0, 0, true)]
    [InlineData(0, 1, true)]
    [InlineData(0, -1, true)]
    [InlineData(0, 2, false)]
    [InlineData(1, 1, true)]
    [InlineData(1, -2, false)]
    [InlineData(3, 3, true)]
    [InlineData(3, -3, true)]
    [InlineData(3, 4, false)]
    [InlineData(3, -4, false)]
    public void NeighbouringWindowsAreAcceptedAsFarAsTheSkew(int skew, int windowsAway, bool accepted)
    {
        byte[] prefix = new byte[Guard.PrefixLength];
        At(Now + windowsAway * Window).Write(prefix);

        Assert.Equal(accepted ? GuardVerdict.Pass : GuardVerdict.BadCookie, At(Now, skew).Check(prefix));
    }

    [Fact]
    public void RefreshMovesWithTheTimeInBothDirections()
    {
        Guard guard = At(Now);
        byte[] moved = new byte[Guard.PrefixLength];
        byte[] fresh = new byte[Guard.PrefixLength];
        foreach (long time in new[] { Now + 1, Now + Window, Now + 100 * Window, Now - 50 * Window, 0 })
        {
            guard.Refresh(time);
            guard.Write(moved);
            At(time).Write(fresh);
            Assert.Equal(fresh, moved);
            Assert.Equal(GuardVerdict.Pass, guard.Check(moved));
        }
    }

    [Fact]
    public void EveryFlippedBitIsRefused()
    {
        Guard guard = At(Now);
        byte[] prefix = new byte[Guard.PrefixLength];
        guard.Write(prefix);
        for (int bit = 0; bit < 8 * prefix.Length; bit++)
        {
            byte[] flipped = [.. prefix];
            flipped[bit / 8] ^= (byte)(1 << bit % 8);
            Assert.Equal(bit < 32 ? GuardVerdict.BadMagic : GuardVerdict.BadCookie, guard.Check(flipped));
        }

        for (int length = 0; length < prefix.Length; length++)
            Assert.Equal(GuardVerdict.TooShort, guard.Check(prefix.AsSpan(0, length)));
    }

    [Fact]
    public void AnotherKeyIsRefused()
    {
        byte[] prefix = new byte[Guard.PrefixLength];
        new Guard(new byte[Guard.KeyLength], "PQT1"u8, Window, 1, Now).Write(prefix);

        Assert.Equal(GuardVerdict.BadCookie, At(Now).Check(prefix));
    }

    [Fact]
    public void ParametersOutsideOfTheirRangeAreRefused()
    {
        Assert.Throws<ArgumentException>(() => new Guard(new byte[31], "PQT1"u8, Window, 1, Now));
        Assert.Throws<ArgumentException>(() => new Guard(Key, "PQT"u8, Window, 1, Now));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Guard(Key, "PQT1"u8, 0, 1, Now));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Guard(Key, "PQT1"u8, 3601, 1, Now));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Guard(Key, "PQT1"u8, Window, 11, Now));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Guard(Key, "PQT1"u8, Window, -1, Now));
    }

    [Fact]
    public void NothingAllocatesNotEvenANewWindow()
    {
        Guard guard = At(Now);
        byte[] payload = new byte[1350];
        Use(guard, payload, Now);

        long time = Now;
        Assert.Equal(0, Allocations.Least(() =>
        {
            for (int i = 0; i < 100; i++)
                Use(guard, payload, time += 10);
        }));
    }

    private static void Use(Guard guard, byte[] payload, long time)
    {
        guard.Refresh(time);
        guard.Write(payload);
        if (Count(guard.Split(payload)) != 1)
            throw new InvalidOperationException("the payload was refused");
    }

    private static int Count(GuardSplitter datagrams)
    {
        int count = 0;
        while (datagrams.MoveNext())
            count++;
        return count;
    }

    private static Guard At(long time, int skew = 1) => new(Key, "PQT1"u8, Window, skew, time);
}
