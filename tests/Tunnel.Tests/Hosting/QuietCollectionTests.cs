using Tunnel.App.Hosting;
using Tunnel.App.Runtime.Traffic;

namespace Tunnel.Tests.Hosting;

public sealed class QuietCollectionTests : IDisposable
{
    private readonly QuietCollection _quiet = new(new TrafficLedger());

    public void Dispose() => _quiet.Dispose();

    [Fact]
    public void OnceAfterManyStreamsHaveEnded()
    {
        Assert.False(Look(opened: 10_000, open: 10_000));
        Assert.False(Look(opened: 10_000, open: 10_000));
        // Sessions keep for a while what they might need again.
        Assert.False(Look(opened: 10_000, open: 100));
        Assert.True(Look(opened: 10_000, open: 100));
        Assert.False(Look(opened: 10_000, open: 100));
        // Those that were still open then count with the next.
        Assert.False(Look(opened: 11_000, open: 0));
        Assert.False(Look(opened: 11_000, open: 0));
    }

    [Fact]
    public void NotWhileAnythingGoesOn()
    {
        Assert.False(Look(opened: 10_000, open: 1));
        Assert.False(Look(opened: 11_000, open: 1));
        Assert.False(Look(opened: 12_000, open: 1));
        Assert.False(Look(opened: 12_000, open: 1, bytes: 1 << 20));
        Assert.False(Look(opened: 12_000, open: 1, bytes: 2 << 20));
        // A reverse forward that asks again, a ping.
        Assert.True(Look(opened: 12_002, open: 2, bytes: (2 << 20) + 1000));
    }

    [Fact]
    public void NotWhereTheCollectorHasComeByItself()
    {
        Assert.False(Look(opened: 10_000, open: 10_000));
        Assert.False(Look(opened: 10_000, open: 0));
        Assert.False(Look(opened: 10_000, open: 0, collections: 1));
        Assert.False(Look(opened: 10_000, open: 0, collections: 1));
    }

    private bool Look(long opened, long open, long bytes = 0, int collections = 0) =>
        _quiet.IsDue(new QuietCollection.Seen(opened, open, bytes, collections));
}
