using System.Net;
using Tunnel.App.Runtime.Pool;

namespace Tunnel.Tests.Runtime.Pool;

/// <summary>Connections over the addresses of one name.</summary>
public class AddressSpreadTests
{
    private static readonly IPAddress[] Fleet = [.. Enumerable.Range(1, 3).Select(i => IPAddress.Parse($"192.0.2.{i}"))];
    private static readonly string[] Holders = ["a", "b", "c", "d", "e", "f"];

    private readonly AddressSpread<string> _spread = new(new Random(1));

    [Fact]
    public void EveryAddressGetsItsShare()
    {
        _spread.Update(Fleet);
        Assert.All(Holders.Select(h => _spread.Take(h, 0)).CountBy(a => a), pair => Assert.Equal(2, pair.Value));
        Assert.Null(_spread.Misplaced(0));
    }

    [Fact]
    public void ClientsDoNotAllBeginAlike()
    {
        HashSet<IPAddress> first = [];
        for (int seed = 0; seed < 30; seed++)
        {
            var spread = new AddressSpread<string>(new Random(seed));
            spread.Update(Fleet);
            first.Add(spread.Take("a", 0));
        }

        Assert.Equal(3, first.Count);
    }

    [Fact]
    public void TheFavouriteFamilyComesFirst()
    {
        _spread.Update([IPAddress.IPv6Loopback, .. Fleet]);
        Assert.Equal(IPAddress.IPv6Loopback, _spread.Take("a", 0));
        Assert.Equal(Fleet.Length + 1, Holders.Select(h => _spread.Take(h, 0)).Distinct().Count());
    }

    [Fact]
    public void AnAddressThatFailedIsLeftAloneForAWhile()
    {
        _spread.Update(Fleet);
        IPAddress bad = _spread.Take("a", 0);
        _spread.Failed("a", 0);
        for (int i = 0; i < 10; i++)
            Assert.NotEqual(bad, _spread.Take($"x{i}", 1000));
        Assert.Equal(bad, _spread.Take("late", 31_000));
    }

    [Fact]
    public void WhereAllFailedAnyWillDo()
    {
        _spread.Update(Fleet);
        foreach (string holder in Holders)
        {
            _spread.Take(holder, 0);
            _spread.Failed(holder, 0);
        }

        Assert.Contains(_spread.Take("a", 1), Fleet);
    }

    [Fact]
    public void WhatWorksHasNotFailed()
    {
        _spread.Update(Fleet);
        IPAddress address = _spread.Take("a", 0);
        _spread.Failed("a", 0);
        _spread.Worked("a");
        Assert.Equal(address, Holders[1..4].Select(h => _spread.Take(h, 1)).Single(a => a.Equals(address)));
    }

    [Fact]
    public void AnAddressThatIsGoneIsLeft()
    {
        _spread.Update(Fleet);
        Dictionary<string, IPAddress> had = Holders.ToDictionary(h => h, h => _spread.Take(h, 0));
        _spread.Update(Fleet[1..]);
        var moved = new HashSet<string>();
        while (_spread.Misplaced(0) is { } holder)
        {
            Assert.True(moved.Add(holder));
            Assert.NotEqual(Fleet[0], _spread.Take(holder, 0));
        }

        Assert.Equal(had.Where(p => p.Value.Equals(Fleet[0])).Select(p => p.Key).Order(), moved.Order());
    }

    [Fact]
    public void ANewAddressIsMovedToOneAtATime()
    {
        _spread.Update(Fleet[..1]);
        foreach (string holder in Holders)
            _spread.Take(holder, 0);
        _spread.Update(Fleet);
        int moves = 0;
        for (; _spread.Misplaced(0) is { } holder; moves++)
            _spread.Take(holder, 0);
        Assert.Equal(4, moves);
    }

    [Fact]
    public void NobodyIsMovedToWhatFailedLately()
    {
        _spread.Update(Fleet[..2]);
        _spread.Take("a", 0);
        _spread.Failed("a", 0);
        foreach (string holder in Holders)
            _spread.Take(holder, 1);
        Assert.Null(_spread.Misplaced(60_000));
        Assert.NotNull(_spread.Misplaced(180_000));
    }

    [Fact]
    public void SoManyAddressesAreNotKept()
    {
        _spread.Update([.. Enumerable.Range(0, 5000).Select(i => new IPAddress(i + 1L))]);
        Assert.Equal(256, _spread.Addresses.Count);
    }
}
