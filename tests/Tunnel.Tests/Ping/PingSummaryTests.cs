using Tunnel.Ctl.Ping;

namespace Tunnel.Tests.Ping;

public class PingSummaryTests
{
    [Fact]
    public void FiguresAreOfWhatCameBack()
    {
        TimeSpan?[] trips = [.. Enumerable.Range(1, 20).Select(i => (TimeSpan?)TimeSpan.FromMilliseconds(21 - i)), null, null, null, null, null];
        PingSummary summary = PingSummary.Of(PingLevel.Link, trips);
        Assert.Equal(new PingSummary(PingLevel.Link, 25, 20, 1, 10.5, 19, 20), summary);
        Assert.Equal(20, summary.LossPercent, 9);
    }

    [Fact]
    public void NothingBackHasNoFigures()
    {
        PingSummary summary = PingSummary.Of(PingLevel.Stream, [null]);
        Assert.Equal(new PingSummary(PingLevel.Stream, 1, 0, null, null, null, null), summary);
        Assert.Equal(100, summary.LossPercent);
    }
}
