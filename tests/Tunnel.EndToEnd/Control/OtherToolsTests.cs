using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Tunnel.EndToEnd.Harness;

namespace Tunnel.EndToEnd.Control;

/// <summary>
/// bench says what wrk and ab say of the same target. Each request takes the target a tenth of a second, of which a step of the runtime's
/// clock (4 ms) is little, so that rate and times are the target's and not a busy machine's; the three measure in turns, so that what
/// disturbs one disturbs the others.
/// </summary>
public partial class OtherToolsTests : EndToEndTest
{
    private const int Concurrency = 64;
    private const int Requests = 1000;
    private const int FewestRounds = 3;
    private const int MostRounds = 7;
    private const double Tolerance = 0.05;

    private readonly List<Figures> _ours = [], _wrk = [], _ab = [];

    [Fact(Timeout = Limit)]
    public async Task BenchWrkAndAbAgree()
    {
        Requires.Tool("wrk");
        Requires.Tool("ab");
        string target = $"http://127.0.0.1:{await BenchTarget.ServeAsync(this, "--delay", "100ms")}/";
        for (int round = 1; round <= MostRounds; round++)
        {
            _ours.Add(await BenchAsync(target));
            _wrk.Add(await WrkAsync(target));
            _ab.Add(await AbAsync(target));
            if (round >= FewestRounds && IsNear(_wrk) && IsNear(_ab))
                return;
        }

        Assert.Fail($"more than {Tolerance:P0} apart: bench {Median(_ours)}, wrk {Median(_wrk)}, ab {Median(_ab)}");
    }

    private bool IsNear(List<Figures> others)
    {
        (Figures ours, Figures theirs) = (Median(_ours), Median(others));
        return Math.Abs(ours.Rate / theirs.Rate - 1) <= Tolerance
            // ab's percentiles are whole milliseconds.
            && Math.Abs(ours.MedianMilliseconds - theirs.MedianMilliseconds) <= Math.Max(Tolerance * ours.MedianMilliseconds, 1);
    }

    private static Figures Median(List<Figures> rounds) => new(
        rounds.Select(r => r.Rate).Order().ElementAt(rounds.Count / 2), rounds.Select(r => r.MedianMilliseconds).Order().ElementAt(rounds.Count / 2));

    private static async Task<Figures> BenchAsync(string target)
    {
        string json = (await Tool.RunAsync(
            Binaries.Control, "bench", "http", target, "-c", $"{Concurrency}", "-n", $"{Requests}", "--rounds", "1", "--json")).Expect();
        JsonElement round = JsonDocument.Parse(json).RootElement.GetProperty("points")[0].GetProperty("rounds")[0];
        Assert.Empty(round.GetProperty("errors").EnumerateObject());
        double rate = round.GetProperty("operations").GetInt64() / round.GetProperty("seconds").GetDouble();
        return new Figures(rate, round.GetProperty("latency").GetProperty("median_microseconds").GetDouble() / 1e3);
    }

    private static async Task<Figures> WrkAsync(string target)
    {
        string text = (await Tool.RunAsync("wrk", "-t1", $"-c{Concurrency}", "-d2s", "--latency", target)).Expect();
        return new Figures(Number(WrkRate(), text), Number(WrkMedian(), text));
    }

    private static async Task<Figures> AbAsync(string target)
    {
        string text = (await Tool.RunAsync("ab", "-q", "-k", "-c", $"{Concurrency}", "-n", $"{Requests}", target)).Expect();
        Assert.Contains("Failed requests:        0", text, StringComparison.Ordinal);
        return new Figures(Number(AbRate(), text), Number(AbMedian(), text));
    }

    private static double Number(Regex pattern, string text)
    {
        Match match = pattern.Match(text);
        Assert.True(match.Success, text);
        return double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"Requests/sec:\s+([\d.]+)")]
    private static partial Regex WrkRate();

    [GeneratedRegex(@"50%\s+([\d.]+)ms")]
    private static partial Regex WrkMedian();

    [GeneratedRegex(@"Requests per second:\s+([\d.]+)")]
    private static partial Regex AbRate();

    [GeneratedRegex(@"50%\s+(\d+)")]
    private static partial Regex AbMedian();

    private readonly record struct Figures(double Rate, double MedianMilliseconds);
}
