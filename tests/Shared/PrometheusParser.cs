using System.Globalization;
using System.Text.RegularExpressions;

namespace Tunnel.Tests.Shared;

/// <summary>
/// A strict reader of Prometheus' text format 0.0.4: whatever the format does not promise is an error. Also what scrapers only warn of:
/// counters are called total, histograms are complete and grow, no series twice, every family has help and type and stands together.
/// </summary>
internal sealed partial class PrometheusParser
{
    private readonly Dictionary<string, string> _types = [];
    private readonly HashSet<string> _helped = [];
    private readonly Dictionary<string, double> _series = [];
    private string _family = "";

    /// <summary>By name with labels, as written.</summary>
    public IReadOnlyDictionary<string, double> Series => _series;

    public IReadOnlyDictionary<string, string> Types => _types;

    public static PrometheusParser Parse(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        var parser = new PrometheusParser();
        foreach (string line in text[..^1].Split('\n'))
            parser.Take(line);
        parser.CheckHistograms();
        return parser;
    }

    /// <summary>The sum of a family's series.</summary>
    public double Sum(string name, string label = "") => _series
        .Where(s => (s.Key == name || s.Key.StartsWith(name + "{", StringComparison.Ordinal)) && s.Key.Contains(label, StringComparison.Ordinal))
        .Sum(s => s.Value);

    private void Take(string line)
    {
        if (Help().Match(line) is { Success: true } help)
            Assert.True(_helped.Add(_family = help.Groups["name"].Value), $"help twice: {line}");
        else if (Type().Match(line) is { Success: true } type)
            TakeType(type.Groups["name"].Value, type.Groups["type"].Value);
        else
            TakeSample(line);
    }

    private void TakeType(string name, string type)
    {
        Assert.Equal(_family, name);
        Assert.True(_types.TryAdd(name, type), $"type twice: {name}");
        Assert.Equal(type == "counter", name.EndsWith("_total", StringComparison.Ordinal));
    }

    private void TakeSample(string line)
    {
        Match sample = Sample().Match(line);
        Assert.True(sample.Success, $"not a sample: {line}");
        string name = sample.Groups["name"].Value;
        string family = _types[_family] == "histogram" ? Suffix().Replace(name, "") : name;
        Assert.Equal(_family, family);
        double value = double.Parse(sample.Groups["value"].Value, NumberStyles.Float, CultureInfo.InvariantCulture);
        Assert.True(double.IsFinite(value), line);
        string[] keys = [.. sample.Groups["key"].Captures.Select(c => c.Value)];
        Assert.Equal(keys.Distinct(), keys);
        Assert.True(_types[_family] == "gauge" || value >= 0, line);
        Assert.True(_series.TryAdd(name + sample.Groups["labels"].Value, value), $"twice: {line}");
    }

    private void CheckHistograms()
    {
        foreach (string family in _types.Where(t => t.Value == "histogram").Select(t => t.Key))
        {
            foreach (IGrouping<string, (double Bound, double Count)> buckets in Buckets(family).GroupBy(b => b.Labels, b => (b.Bound, b.Count)))
            {
                Assert.Equal(buckets.OrderBy(b => b.Bound), buckets);
                Assert.Equal(buckets.OrderBy(b => b.Count).Select(b => b.Count), buckets.Select(b => b.Count));
                Assert.Equal(double.PositiveInfinity, buckets.Last().Bound);
                Assert.Equal(_series[$"{family}_count{buckets.Key}"], buckets.Last().Count);
                Assert.Contains($"{family}_sum{buckets.Key}", _series.Keys);
            }
        }
    }

    private IEnumerable<(string Labels, double Bound, double Count)> Buckets(string family)
    {
        foreach ((string series, double count) in _series.Where(s => s.Key.StartsWith(family + "_bucket{", StringComparison.Ordinal)))
        {
            Match le = Le().Match(series);
            Assert.True(le.Success, series);
            string labels = series[(family.Length + "_bucket".Length)..].Replace(le.Value, "").Replace(",}", "}");
            string bound = le.Groups["bound"].Value;
            yield return (
                labels == "{}" ? "" : labels,
                bound == "+Inf" ? double.PositiveInfinity : double.Parse(bound, CultureInfo.InvariantCulture),
                count);
        }
    }

    [GeneratedRegex(@"^# HELP (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) (?<doc>([^\\]|\\\\|\\n)+)$")]
    private static partial Regex Help();

    [GeneratedRegex(@"^# TYPE (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) (?<type>counter|gauge|histogram)$")]
    private static partial Regex Type();

    [GeneratedRegex(@"^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)"
        + @"(?<labels>\{(?<key>[a-zA-Z_][a-zA-Z0-9_]*)=""([^""\\\n]|\\\\|\\""|\\n)*""(,(?<key>[a-zA-Z_][a-zA-Z0-9_]*)=""([^""\\\n]|\\\\|\\""|\\n)*"")*\})?"
        + @" (?<value>[+-]?([0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?|Inf|NaN))$")]
    private static partial Regex Sample();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Suffix();

    [GeneratedRegex(@"le=""(?<bound>[^""]+)""")]
    private static partial Regex Le();
}
