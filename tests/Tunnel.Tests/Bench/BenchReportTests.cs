using System.Xml.Linq;
using Tunnel.Ctl.Bench;
using Tunnel.Ctl.Bench.Report;

namespace Tunnel.Tests.Bench;

public sealed class BenchReportTests : IDisposable
{
    private static readonly double[] Steady = [1000, 1010, 990];
    private static readonly double[] Slow = [2000, 2010, 1990];

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tunnel-report-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task WhatIsNoiseIsNoVisibleChange()
    {
        BenchReport report = await ReportAsync(Steady, [1005, 995, 1012]);
        Assert.Equal("net.core.somaxconn", report.Knob.Name);
        Assert.Equal(Outcome.NoChange, report.Interpretation.Outcome);
        Assert.Contains("No visible change at these loads", report.Interpretation.Summary);
        Assert.Contains("from 4096 to 65535 does not move http's figures", report.Interpretation.RuleOfThumb);
        // A thousand connections a second: so many seconds until the queue is full.
        Assert.Contains("4096 by one of 4.10 s, 65535 by one of 65.5 s", report.Interpretation.RuleOfThumb);
    }

    /// <summary>What differs where no queue was full is not the backlog's doing, however much it is.</summary>
    [Fact]
    public async Task AQueueThatWasNeverFullChangesNothing()
    {
        Interpretation meaning = (await ReportAsync(Slow, Steady)).Interpretation;
        Assert.Equal(Outcome.NoChange, meaning.Outcome);
        Assert.Contains("no queue was ever full", meaning.Summary);
    }

    [Fact]
    public async Task WhatIsMoreThanNoiseIsSaid()
    {
        Assert.Equal(Outcome.Worse, (await ReportOfBuffersAsync(Steady, Slow)).Interpretation.Outcome);
        BenchReport better = await ReportOfBuffersAsync(Slow, Steady);
        Assert.Equal(Outcome.Better, better.Interpretation.Outcome);
        Assert.Contains("p50 us at 4 at a time 2,000 -> 1,000 (-50.0 %)", better.Interpretation.Summary);
    }

    /// <summary>More than noise, and less than anybody sees.</summary>
    [Fact]
    public async Task ASmallDifferenceIsNoVisibleChange() =>
        Assert.Equal(Outcome.NoChange, (await ReportOfBuffersAsync([1000, 1001, 999], [1011, 1010, 1009])).Interpretation.Outcome);

    /// <summary>Of twenty figures one differs by chance.</summary>
    [Fact]
    public async Task OneOddFigureAmongManyIsChance()
    {
        int[] concurrency = [1, 2, 3, 4, 5];
        BenchResult before = await SampleBench.Of(Steady, concurrency).WithHostAsync();
        BenchResult after = await SampleBench.Of(Steady, concurrency).WithHostAsync("65535");
        RoundResult[] odd = [.. after.Points[2].Rounds.Select((r, i) => r with { Latency = r.Latency with { P95 = 1500 + i } })];
        after = after with { Points = [.. after.Points.Select(p => p.Concurrency == 3 ? p with { Rounds = odd } : p)] };
        Interpretation meaning = BenchReport.Of(before, after, "net.core.rmem_max").Interpretation;
        Assert.Equal(Outcome.NoChange, meaning.Outcome);
        Assert.Contains("1 of 20 figures differs (p95 us at 3 at a time", meaning.Summary);
    }

    /// <summary>Who waits for another try leaves the others alone: their times alone would say the opposite of what happened.</summary>
    [Theory]
    [InlineData(900, 0, "Better")]
    [InlineData(0, 900, "Worse")]
    [InlineData(900, 800, "Worse")]
    public async Task AQueueThatOverflowedDecides(long before, long after, string outcome)
    {
        BenchResult first = await SampleBench.Of(Steady, 4).WithHostAsync("2", before);
        BenchResult second = await SampleBench.Of(Slow, 4).WithHostAsync("65535", after);
        var report = BenchReport.Of(first, second, null);
        Assert.Equal(Enum.Parse<Outcome>(outcome), report.Interpretation.Outcome);
        Assert.Equal(before != after && before * after == 0, report.Interpretation.Summary.Contains("overflowed"));
    }

    [Fact]
    public async Task OneRoundTellsNothing() =>
        Assert.Equal(Outcome.Unknown, (await ReportAsync([1000], [2000])).Interpretation.Outcome);

    [Fact]
    public async Task OneBenchIsWhatToCompareWith()
    {
        var report = BenchReport.Of(await SampleBench.Of(Steady, 4, 8).WithHostAsync(), null, null);
        Assert.Equal(Outcome.NotCompared, report.Interpretation.Outcome);
        string note = ReportMarkdown.Write(report, null);
        Assert.Contains("| `net.core.somaxconn` | 4096 | 65535 |", note);
        Assert.Contains("tunnelctl tune-loop net.core.somaxconn", note);
        AssertTablesAreWhole(note);
    }

    [Fact]
    public async Task TheNoteHasAllOfIt()
    {
        string note = ReportMarkdown.Write(await ReportAsync(Steady, Slow, 4, 8), "report.svg");
        foreach (string part in new[]
        {
            "# net.core.somaxconn: http before and after", "No visible change at these loads", "| `net.core.somaxconn` | 4096 | 65535 | 65535 |",
            "![medians of http, before and after](report.svg)",
            "| 8 | p95 us | 1,000 | 2,000 | +100.0 % |", "Connection times", "| before | 127.0.0.1:9000 | 1 | 3 | 4096 |", "TcpExtListenOverflows before: +0",
            "many new connections a second", "load balancer", "> On this host, at up to 8 at a time", "## The host", "Snapshots around the bench after",
        })
        {
            Assert.Contains(part, note);
        }

        AssertTablesAreWhole(note);
    }

    /// <summary>What another setting is about is not the backlog.</summary>
    [Fact]
    public async Task TheModelIsTheKnobs()
    {
        var report = BenchReport.Of(await SampleBench.Of(Steady, 4).WithHostAsync(), null, "net.core.rmem_max");
        string note = ReportMarkdown.Write(report, null);
        Assert.Contains("at most its buffer a round trip", note);
        Assert.DoesNotContain("waiting room", note);
        Assert.Throws<BenchException>(() => BenchReport.Of(report.Before, null, "no.such.knob"));
    }

    [Fact]
    public async Task ThePictureHasABarForEachBench()
    {
        var picture = XDocument.Parse(ReportChart.Write(await ReportAsync(Steady, Slow, 4, 8)));
        XNamespace svg = "http://www.w3.org/2000/svg";
        string[] bars = [.. picture.Descendants(svg + "rect").Select(r => (string)r.Attribute("class")!).Where(c => c != "p")];
        // p50 and p95, at two concurrencies.
        Assert.Equal((4, 4), (bars.Count(b => b == "before"), bars.Count(b => b == "after")));
        Assert.Contains("2,000", picture.Descendants(svg + "text").Select(t => t.Value));
    }

    [Fact]
    public async Task NothingIsWrittenOver()
    {
        BenchReport report = await ReportAsync(Steady, Steady);
        string path = Path.Combine(_folder.FullName, "note.md");
        Assert.Equal([path, Path.Combine(_folder.FullName, "note.svg")], ReportFiles.Write(report, path));
        Assert.Contains("not written over", Assert.Throws<BenchException>(() => ReportFiles.Write(report, path)).Message);
        Assert.Throws<BenchException>(() => ReportFiles.Write(report, Path.Combine(_folder.FullName, "other.svg")));
    }

    [Fact]
    public void AResultWithoutItsHostIsRefused() =>
        Assert.Contains("host's record", Assert.Throws<BenchException>(() => BenchReport.Of(SampleBench.Of(Steady, 4), null, null)).Message);

    [Fact]
    public async Task TheHostsRecordSurvivesItsRoundTrip()
    {
        BenchResult result = await SampleBench.Of(Steady, 4).WithHostAsync("4096", 7);
        string path = Path.Combine(_folder.FullName, "a.json");
        BenchFile.Save(path, result);
        BenchResult read = BenchFile.Load(path);
        Assert.Equal(BenchFile.Write(result), BenchFile.Write(read));
        Assert.Equal((7, "4096"), (read.HostRecord!.Overflows, read.HostRecord.Before.Settings["net.core.somaxconn"]));
        Assert.Contains("\"verdict\": \"advice\"", File.ReadAllText(path));
    }

    /// <summary>Two benches of the same thing show what noise looks like, and no knob is praised or blamed.</summary>
    [Fact]
    public async Task NothingChangedIsSaid()
    {
        BenchResult twice = await SampleBench.Of(Steady, 4).WithHostAsync();
        Assert.Contains("net.core.somaxconn was 4096 in both", BenchReport.Of(twice, twice, null).Interpretation.RuleOfThumb);
    }

    /// <summary>Where the tunnel's file was changed, or the program, what differs is not put down to a knob that nobody touched.</summary>
    [Fact]
    public async Task AKnobThatWasNotTurnedIsNotTheSubject()
    {
        BenchReport report = BenchReport.Of(await SampleBench.Of(Slow, 4).WithHostAsync(), await SampleBench.Of(Steady, 4).WithHostAsync(), null);
        Assert.Equal(Outcome.Better, report.Interpretation.Outcome);
        string note = ReportMarkdown.Write(report, null);
        Assert.StartsWith("# http before and after, with net.core.somaxconn as it was\n\nBetter, by more than noise: ", note);
        Assert.DoesNotContain("To set it for good", note);
        Assert.Contains("To change it and measure again: `tunnelctl tune-loop net.core.somaxconn`", note);
    }

    /// <summary>As tune-loop does with its turns.</summary>
    [Fact]
    public async Task PartsAreJoined()
    {
        BenchResult first = await SampleBench.Of([1000], 4, 8).WithHostAsync("4096", 3), second = await SampleBench.Of([1100], 4, 8).WithHostAsync("4096", 4);
        BenchResult both = BenchResult.Join(BenchResult.Join(null, first), second);
        Assert.Equal([1000, 1100], both.Points[1].Rounds.Select(r => r.Latency.Median));
        Assert.Equal((7, 3), (both.HostRecord!.Overflows, Assert.Single(both.HostRecord.Listeners).MostWaiting));
    }

    /// <summary>Every line of a table has as many cells as its head.</summary>
    private static void AssertTablesAreWhole(string note)
    {
        string before = "";
        foreach (string line in note.Split('\n'))
        {
            if (line.StartsWith('|') && before.StartsWith('|'))
                Assert.Equal(before.Count(c => c == '|'), line.Count(c => c == '|'));
            before = line;
        }
    }

    /// <summary>Of a knob that has no counter for its limit.</summary>
    private static async Task<BenchReport> ReportOfBuffersAsync(double[] before, double[] after) => BenchReport.Of(
        await SampleBench.Of(before, 4).WithHostAsync(), await SampleBench.Of(after, 4).WithHostAsync(), "net.core.rmem_max");

    private static Task<BenchReport> ReportAsync(double[] before, double[] after) => ReportAsync(before, after, 4);

    private static async Task<BenchReport> ReportAsync(double[] before, double[] after, params int[] concurrency) => BenchReport.Of(
        await SampleBench.Of(before, concurrency).WithHostAsync(), await SampleBench.Of(after, concurrency).WithHostAsync("65535"), null);
}
