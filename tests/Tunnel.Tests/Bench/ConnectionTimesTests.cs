using Spectre.Console;
using Tunnel.Ctl.Bench;

namespace Tunnel.Tests.Bench;

/// <summary>What ab says of its connection times, said of ours: min, mean, deviation, median, max, and whether mean and median belong together.</summary>
public class ConnectionTimesTests
{
    /// <summary>
    /// ab works in whole milliseconds: mean 1, median 0 and a deviation of 0.2 are its "ERROR: median and mean are more than twice the standard
    /// deviation apart", mean 2 and median 1 with 0.6 its warning.
    /// </summary>
    [Theory]
    [InlineData(1000, 400, 200, "more than two deviations apart: these times are not reliable")]
    [InlineData(2000, 1000, 600, "more than one deviation apart")]
    [InlineData(1400, 1000, 600, "")]
    [InlineData(20_000, 19_000, 5000, "")]
    [InlineData(300, 200, 10, "")]
    public void MeanAndMedianThatAreFarApartAreNamed(double mean, double median, double deviation, string says)
    {
        string text = TableOf(SampleBench.Times(10, mean, median, deviation));
        Assert.Equal(says.Length != 0, text.Contains("apart"));
        Assert.Contains(says, text);
    }

    [Fact]
    public void MeanMedianAndDeviationAreThere()
    {
        string text = TableOf(new LatencyFacts(10, 100, 2500, 2000, 700, 3000, 3100, 3200, 4000));
        Assert.Contains("connecting took min 100 us, mean 2.50 ms (deviation 700 us), median 2.00 ms, max 4.00 ms", text);
    }

    private static string TableOf(LatencyFacts connect)
    {
        BenchResult result = SampleBench.Of([1000], 4);
        RoundResult round = result.Points[0].Rounds[0] with { Connect = connect };
        var writer = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer), Ansi = AnsiSupport.No });
        BenchTable.Print(console, result with { Points = [new BenchPoint(4, [round])] });
        return writer.ToString();
    }
}
