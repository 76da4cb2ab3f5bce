using Tunnel.Ctl.Bench;

namespace Tunnel.Tests.Bench;

public class ComparisonTests
{
    private static readonly HostFacts Host = new("box", "Linux", "unknown", 2, 1);
    private static readonly LoadFacts Load = new("tcp", "127.0.0.1:9001", null, "64 bytes", 1, 5, null, null);

    [Fact]
    public void RoundsThatDifferAsMuchAreNoise() => Assert.Equal(Verdict.Noise, RateOf(Bench(100, 130, 90), Bench(110, 95, 140)).Verdict);

    [Fact]
    public void MoreOperationsAreBetter()
    {
        ComparedFigure rate = RateOf(Bench(100, 101, 99), Bench(150, 151, 149));
        Assert.Equal((Verdict.Better, 100d, 150d), (rate.Verdict, rate.Before, rate.After));
        Assert.Equal(50, rate.ChangePercent!.Value, 3);
        Assert.InRange(50, rate.Low!.Value, rate.High!.Value);
        Assert.Equal(Verdict.Worse, RateOf(Bench(150, 151, 149), Bench(100, 101, 99)).Verdict);
    }

    [Fact]
    public void LongerTimesAreWorse()
    {
        Comparison comparison = Comparison.Of("a", Bench(100, 101, 99), "b", Bench(100, 101, 99, latency: 2000));
        Assert.Equal(Verdict.Worse, comparison.Rows.Single(r => r.Figure == "p50 us").Verdict);
    }

    /// <summary>Processor time that nobody read is not compared; that of messages is set against messages, not bytes.</summary>
    [Theory]
    [InlineData("tcp", "CPU us/op", 2000)]
    [InlineData("bulk", "CPU s/GB", 2e6)]
    public void ProcessorTimeIsComparedWhereItWasRead(string workload, string figure, double value)
    {
        BenchResult unread = Bench(100, 101) with { Load = Load with { Workload = workload } };
        BenchResult read = unread with { Points = [.. unread.Points.Select(Watched)] };
        Assert.DoesNotContain(Comparison.Of("a", unread, "b", read).Rows, r => r.Figure.StartsWith("CPU", StringComparison.Ordinal));
        ComparedFigure row = Assert.Single(Comparison.Of("a", read, "b", read).Rows, r => r.Figure.StartsWith("CPU", StringComparison.Ordinal));
        Assert.Equal((figure, value), (row.Figure, row.Before));
    }

    /// <summary>Two seconds for a thousand messages of a byte each.</summary>
    private static BenchPoint Watched(BenchPoint point) => point with
    {
        Rounds = [.. point.Rounds.Select(r => r with { Operations = 1000, Bytes = 1000, Processes = [new ProcessUse(7, "tunnel", 2, 0, 0, 0)] })],
    };

    [Fact]
    public void OneRoundTellsNothing()
    {
        Comparison comparison = Comparison.Of("a", Bench(100), "b", Bench(200));
        Assert.All(comparison.Rows, r => Assert.Equal(Verdict.Unknown, r.Verdict));
        Assert.Contains(comparison.Warnings, w => w.Contains("--rounds", StringComparison.Ordinal));
    }

    [Fact]
    public void OtherHostsAndLoadsAreNamed()
    {
        BenchResult other = Bench(100, 101) with { Host = Host with { Name = "other" }, Load = Load with { Detail = "9 bytes" } };
        Assert.Equal(2, Comparison.Of("a", Bench(100, 101), "b", other).Warnings.Count);
    }

    [Fact]
    public void WhatHasNothingInCommonIsRefused()
    {
        BenchResult bulk = Bench(100, 101) with { Load = Load with { Workload = "bulk" } };
        Assert.Throws<BenchException>(() => Comparison.Of("a", Bench(100, 101), "b", bulk));
        BenchResult wider = Bench(100, 101);
        wider = wider with { Points = [wider.Points[0] with { Concurrency = 7 }] };
        Assert.Throws<BenchException>(() => Comparison.Of("a", Bench(100, 101), "b", wider));
    }

    [Theory]
    // Published tables of Student's t: 2.776 at 4 degrees of freedom; two samples of 3 with deviation 1 differ by 2.776 * sqrt(2/3).
    [InlineData(2.2666)]
    public void TheIntervalIsWelchs(double reach)
    {
        (double low, double high) = Statistics.DifferenceOfMeans([9, 10, 11], [19, 20, 21])!.Value;
        Assert.Equal(10 - reach, low, 3);
        Assert.Equal(10 + reach, high, 3);
    }

    [Fact]
    public void AFileSurvivesItsRoundTrip()
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            BenchResult result = Bench(100, 101);
            BenchFile.Save(path, result);
            Assert.Equal(BenchFile.Write(result), BenchFile.Write(BenchFile.Load(path)));
            Assert.Contains("not written over", Assert.Throws<BenchException>(() => BenchFile.Save(path, result)).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("[1,2]")]
    [InlineData("{\"format\":1,\"tool\":\"x\",\"points\":[]}", "of another version of bench (format 1; this one's is 2)")]
    [InlineData("{\"format\":99}", "of another version of bench (format 99; this one's is 2)")]
    public void WhatIsNoResultIsRefused(string text, string says = "not a result of ")
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        File.WriteAllText(path, text);
        try
        {
            string message = Assert.Throws<BenchException>(() => BenchFile.Load(path)).Message;
            Assert.StartsWith($"{path}: {says}", message, StringComparison.Ordinal);
            // Types are ours; a user knows files.
            Assert.DoesNotContain(nameof(BenchResult), message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static ComparedFigure RateOf(BenchResult before, BenchResult after) =>
        Comparison.Of("a", before, "b", after).Rows.Single(r => r.Figure == "operations/s");

    private static BenchResult Bench(params long[] rates) => Bench(1000, rates);

    private static BenchResult Bench(long a, long b, long c, double latency) => Bench(latency, a, b, c);

    private static BenchResult Bench(double latency, params long[] rates) => new(
        BenchResult.CurrentFormat, "tunnelctl", DateTime.UnixEpoch, Host, Load,
        [
            new BenchPoint(4, [.. rates.Select((rate, i) => new RoundResult(
                1, rate, rate * 128, 0, Times(rate, latency + i), Times(0, 0), new Dictionary<string, long>(), []))]),
        ]);

    private static LatencyFacts Times(long count, double value) => new(count, value, value, value, 0, value, value, value, value);
}
