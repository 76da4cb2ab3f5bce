using Tunnel.App.Runtime;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Runtime;

public class RateLimitedLogTests
{
    private static readonly TimeSpan Tick = new(1);

    private readonly LogLines _lines = new();
    private readonly VirtualTime _time = new();
    private readonly RateLimitedLog _log;

    public RateLimitedLogTests() => _log = new RateLimitedLog(_lines, "storms", _time);

    [Fact]
    public void AFewInEachPeriodAndTheNumberOfTheOthers()
    {
        for (int i = 0; i < RateLimitedLog.DefaultBurst; i++)
            Assert.True(_log.Admits());
        Assert.False(_log.Admits());
        _time.Advance(RateLimitedLog.Period - Tick);
        Assert.False(_log.Admits());
        Assert.Empty(_lines.All);

        _time.Advance(Tick);
        Assert.True(_log.Admits());
        Assert.Equal(["2 more messages about storms were left out"], _lines.All);
        Assert.True(_log.Admits());
        Assert.Single(_lines.All);
        Assert.Equal(2, _log.TotalLeftOut);
    }

    /// <summary>Nobody asks again: the number comes by itself, once, when the period of the storm's first message is over.</summary>
    [Fact]
    public void TheNumberIsSaidAlsoWhenNothingFollows()
    {
        TimeSpan pause = RateLimitedLog.Period / 4;
        Assert.True(_log.Admits());
        _time.Advance(pause);
        Storm(RateLimitedLog.DefaultBurst + 6);
        _time.Advance(RateLimitedLog.Period - pause - Tick);
        Assert.Empty(_lines.All);
        _time.Advance(Tick);
        Assert.Equal(["7 more messages about storms were left out"], _lines.All);
        _time.Advance(10 * RateLimitedLog.Period);
        Assert.Single(_lines.All);
    }

    [Fact]
    public void EachStormHasItsOwnNumber()
    {
        for (int storm = 1; storm <= 3; storm++)
        {
            Storm(RateLimitedLog.DefaultBurst + storm);
            Assert.Equal(storm - 1, _lines.All.Length);
            _time.Advance(RateLimitedLog.Period);
            string expected = storm == 1 ? "1 more message about storms was left out" : $"{storm} more messages about storms were left out";
            Assert.Equal(expected, _lines.All[^1]);
        }

        Assert.Equal(3, _lines.All.Length);
    }

    private void Storm(int messages)
    {
        for (int i = 0; i < messages; i++)
            _log.Admits();
    }
}
