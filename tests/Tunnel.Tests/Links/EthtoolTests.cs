using Tunnel.Links.Host.Ethtool;

namespace Tunnel.Tests.Links;

public class EthtoolTests
{
    [Fact]
    public void AVethTellsWhatItHas()
    {
        TestHost.RequireRoot();
        using TestHost.VethPair veth = TestHost.NewVeth();
        var device = new EthtoolDevice(veth.Left);
        Assert.Equal("veth", device.Driver().Value!.Name);
        Assert.True(device.Channels().Value!.MaxReceiving >= device.Channels().Value!.Receiving);
        Assert.True(device.Channels().Value!.Receiving >= 1);
        NicStatistic peer = device.Statistics().Value!.First(s => s.Name == "peer_ifindex");
        Assert.Equal(File.ReadAllText($"/sys/class/net/{veth.Right}/ifindex").Trim(), $"{peer.Value}");
        Assert.NotNull(device.Offloads().Gro);
        Assert.NotNull(device.Offloads().Gso);
    }

    [Fact]
    public void WhatADriverHasNotIsRefusedInWords()
    {
        TestHost.RequireRoot();
        using TestHost.VethPair veth = TestHost.NewVeth();
        var device = new EthtoolDevice(veth.Left);
        Assert.Contains("not supported", device.Coalescing().Problem);
        Assert.Null(device.Coalescing().Value);
        Assert.Contains("not supported", device.SetCoalescing(new NicCoalescing(false, 1, 1)));
        // It has not even told, so nothing was asked of it that it could refuse.
        Assert.DoesNotContain("the driver refuses", device.SetCoalescing(new NicCoalescing(false, 1, 1)));
    }

    [Theory]
    [InlineData("no-such-device0")]
    [InlineData("a name that is longer than any")]
    [InlineData("")]
    public void NoSuchInterface(string name)
    {
        var device = new EthtoolDevice(name);
        Assert.Contains("No such device", device.Rings().Problem);
        Assert.Contains("No such device", device.Channels().Problem);
        Assert.Contains("No such device", device.Coalescing().Problem);
        Assert.Contains("No such device", device.Driver().Problem);
        Assert.Contains("No such device", device.Statistics().Problem);
        Assert.Contains("No such device", device.Spread().Problem);
        Assert.Contains("No such device", device.SetRings(1, 1));
        Assert.Equal(new NicOffloads(null, null, null, null), device.Offloads());
    }

    /// <summary>A tap's driver takes coalescing, so that what is written is what is read.</summary>
    [Fact]
    public void CoalescingIsSetAndReadAgain()
    {
        TestHost.RequireRoot();
        Requires.That(File.Exists("/dev/net/tun"), "needs /dev/net/tun");
        string name = $"tl-tap{Environment.ProcessId % 100000}";
        TestHost.Run($"ip tuntap add {name} mode tap");
        try
        {
            var device = new EthtoolDevice(name);
            NicCoalescing before = device.Coalescing().Value!;
            Assert.Equal((null, null), (before.AdaptiveRx, before.RxUsecs));
            Assert.Null(device.SetCoalescing(before with { RxFrames = 16 }));
            Assert.Equal(before with { RxFrames = 16 }, device.Coalescing().Value);
            Assert.Equal("the driver refuses it: Operation not supported (errno 95)", device.SetCoalescing(before with { RxUsecs = 5 }));
            Assert.Null(device.SetCoalescing(before));
            Assert.Equal(before, device.Coalescing().Value);
        }
        finally
        {
            TestHost.Run($"ip link del {name}");
        }
    }

    /// <summary>Linux 6.1's answers about virtual cards of QEMU: a virtio card of two queues, and an e1000e, which has rx-usecs alone.</summary>
    [Theory]
    [InlineData("140100001800018008000100050000000B000200656E7030733400000800020000000000080003000100000008000600000000000800070001000000", null, 0, 1)]
    [InlineData("140100001800018008000100030000000B000200656E7030733500000800020003000000", null, 3, null)]
    [InlineData("1401000005000B000100000008000200800000000800030040000000", true, 128, 64)]
    [InlineData("1401", null, null, null)]
    [InlineData("", null, null, null)]
    public void CoalescingHasOnlyWhatTheDriverHas(string answer, bool? adaptive, int? usecs, int? frames) => Assert.Equal(
        new NicCoalescing(adaptive, (uint?)usecs, (uint?)frames), CoalescingQuery.Parse(Convert.FromHexString(answer)));

    [Theory]
    [InlineData("010200000C000200657468746F6F6C00060001001400000008000300010000000800040000000000", 20)]
    [InlineData("010200000C000200657468746F6F6C0005000100140000", 0)]
    [InlineData("0102", 0)]
    public void TheFamilyIsKnownByItsNumber(string answer, int number) =>
        Assert.Equal(number, CoalescingQuery.Family(Convert.FromHexString(answer)));

    [Fact]
    public void SlotsAreCountedByQueue()
    {
        Assert.Equal([2, 1, 0, 1], EthtoolDevice.Slots([0, 1, 0, 3]));
        Assert.Empty(EthtoolDevice.Slots([uint.MaxValue, 5000]));
        Assert.Empty(EthtoolDevice.Slots([]));
    }
}
