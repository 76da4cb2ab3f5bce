using Tunnel.App.Config;
using Tunnel.App.Runtime;
using Tunnel.Protocol.Mux;
using Tunnel.Tests.Config;
using Tunnel.Tests.Support;

namespace Tunnel.Tests.Runtime;

/// <summary>The bounds over all sessions: each holds, each is counted and said when it is reached, each may change.</summary>
public class StreamCapTests
{
    private readonly LogLines _lines = new();
    private readonly LimitMeter _limits;
    private readonly MemoryBudget _budget = new(1000);
    private KcpConfig _kcp = ConfigText.ValidServer(ConfigText.Server + "max_streams_total = 3\nmax_streams_per_session = 2").Transport.Kcp;

    public StreamCapTests() => _limits = new LimitMeter(_lines);

    [Fact]
    public void StreamsOfASessionAreCapped()
    {
        StreamCap cap = Cap();
        Assert.Equal(StreamAdmission.Admitted, cap.Admit(1));
        Assert.Equal(StreamAdmission.SessionIsFull, cap.Admit(2));
        AssertStruck(LimitKind.MaxStreamsPerSession, "transport.kcp.max_streams_per_session");
        _kcp = _kcp with { MaxStreamsPerSession = 3 };
        Assert.Equal(StreamAdmission.Admitted, cap.Admit(2));
        Assert.Equal(2, cap.Count);
    }

    /// <summary>Whoever chooses between sessions asks whether they are full: a cap that was raised must not be the old one for them.</summary>
    [Fact]
    public void ASessionIsFullByTheCapOfNow()
    {
        var mux = new MuxSession(new MuxOptions { MaxStreams = 2 }, isClient: true, 0, Cap());
        Assert.NotNull(mux.Open());
        Assert.False(mux.IsFull);
        Assert.NotNull(mux.Open());
        Assert.True(mux.IsFull);
        _kcp = _kcp with { MaxStreamsPerSession = 3 };
        Assert.False(mux.IsFull);
        _kcp = _kcp with { MaxStreamsPerSession = 1 };
        Assert.True(mux.IsFull);
    }

    [Fact]
    public void StreamsOfAllSessionsAreCapped()
    {
        StreamCap cap = Cap();
        Assert.All(Enumerable.Range(0, 3), _ => Assert.Equal(StreamAdmission.Admitted, cap.Admit(0)));
        Assert.Equal(StreamAdmission.AllAreFull, cap.Admit(0));
        AssertStruck(LimitKind.MaxStreamsTotal, "transport.kcp.max_streams_total");
        cap.Release();
        Assert.Equal(StreamAdmission.Admitted, cap.Admit(0));
        _kcp = _kcp with { MaxStreamsTotal = 2 };
        cap.Release();
        Assert.Equal(StreamAdmission.AllAreFull, cap.Admit(0));
        Assert.Equal(2, cap.Count);
    }

    [Fact]
    public void AboveTheCeilingOfMemoryNoStreamIsTaken()
    {
        StreamCap cap = Cap();
        _budget.Move(1000);
        Assert.Equal(StreamAdmission.OutOfMemory, cap.Admit(0));
        AssertStruck(LimitKind.Memory, "transport.memory");
        _budget.Limit = 2000;
        Assert.Equal(StreamAdmission.Admitted, cap.Admit(0));
    }

    [Theory]
    [InlineData(BufferBound.StreamFull, LimitKind.StreamBuf, "transport.kcp.streambuf")]
    [InlineData(BufferBound.SessionFull, LimitKind.SmuxBuf, "transport.kcp.smuxbuf")]
    [InlineData(BufferBound.Exceeded, LimitKind.SmuxBuf, "transport.kcp.smuxbuf")]
    public void BoundsOfBuffersAreCounted(BufferBound bound, LimitKind limit, string key)
    {
        Cap().OnBound(bound);
        AssertStruck(limit, key);
    }

    [Fact]
    public void AFloodIsCountedAndNotAFloodOfLines()
    {
        StreamCap cap = Cap();
        for (int i = 0; i < 1000; i++)
            cap.Admit(2);
        Assert.Equal(1000, _limits.GetStrikes(LimitKind.MaxStreamsPerSession));
        Assert.Equal(RateLimitedLog.DefaultBurst, _lines.All.Length);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(799, 0)]
    [InlineData(800, 2)]
    [InlineData(850, 4)]
    [InlineData(1000, 10)]
    [InlineData(100_000, 12)]
    public void WindowsShrinkAsMemoryFills(long used, int shift)
    {
        _budget.Move(used);
        Assert.Equal(shift, Cap().WindowShift);
    }

    /// <summary>Every key that a message names is one that files have.</summary>
    [Fact]
    public void LimitsAreNamedByTheirKeys() => Assert.All(
        Enum.GetValues<LimitKind>(), limit => Assert.NotNull(App.Config.Schema.ConfigCatalog.FindKey(LimitMeter.KeyOf(limit))));

    private StreamCap Cap() => new(() => _kcp, _budget, _limits);

    private void AssertStruck(LimitKind limit, string key)
    {
        Assert.Equal(1, _limits.GetStrikes(limit));
        Assert.StartsWith($"{key} is reached: ", Assert.Single(_lines.All));
    }
}
