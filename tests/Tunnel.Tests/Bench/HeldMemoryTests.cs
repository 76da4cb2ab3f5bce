using Spectre.Console;
using Tunnel.Ctl.Bench;

namespace Tunnel.Tests.Bench;

/// <summary>What a held connection takes, as far as it can be told from what processes take and give back by themselves.</summary>
public class HeldMemoryTests
{
    /// <summary>Two processes may move by 128 KiB each and stand still all the same.</summary>
    [Theory]
    [InlineData(1000, 10_240_000, "10.0")]
    [InlineData(10, 1_024_000, "100")]
    [InlineData(10, 100_000, "< 25.6")]
    [InlineData(10, 0, "< 25.6")]
    [InlineData(10, -5_000_000, "< 25.6")]
    public void ItIsNeverMadeUp(int held, long growth, string says) => Assert.Contains($" {says} ", TableOf(held, growth), StringComparison.Ordinal);

    private static string TableOf(int held, long growth)
    {
        BenchResult result = SampleBench.Of([1000], held);
        RoundResult round = result.Points[0].Rounds[0] with
        {
            Processes = [new ProcessUse(1, "client", 0, 10_000_000, 10_000_000 + growth, 0), new ProcessUse(2, "server", 0, 10_000_000, 10_000_000, 0)],
        };
        var writer = new StringWriter();
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer), Ansi = AnsiSupport.No });
        BenchTable.Print(console, result with { Load = result.Load with { Workload = "hold" }, Points = [new BenchPoint(held, [round])] });
        return writer.ToString().ReplaceLineEndings(" ");
    }
}
