using System.Text;
using Tunnel.Protocol.Primitives;

namespace Tunnel.App.Diagnostics.Metering;

/// <summary>A metric: one description for every way in which it is shown.</summary>
/// <param name="Name">Dotted, as OpenTelemetry has it.</param>
/// <param name="Unit">UCUM: By, s, {packet}.</param>
/// <param name="Doc">One sentence.</param>
internal abstract record Metric(string Name, string Unit, string Doc);

/// <summary>A number for each set of labels.</summary>
internal sealed record NumberMetric(
    string Name, MetricKind Kind, string Unit, string Doc, Func<Reading, IEnumerable<Sample>> Read) : Metric(Name, Unit, Doc);

/// <summary>A distribution for each set of labels.</summary>
/// <param name="Scale">What one of the counted values is in the metric's unit.</param>
internal sealed record HistogramMetric(
    string Name, string Unit, string Doc, double Scale, Func<Reading, IEnumerable<Distribution>> Read) : Metric(Name, Unit, Doc)
{
    /// <summary>The largest value of each bucket but the last, in the metric's unit.</summary>
    public double[] GetBounds()
    {
        var bounds = new double[Histogram.Bounds.Length];
        for (int i = 0; i < bounds.Length; i++)
            bounds[i] = ToUnit(Histogram.Bounds[i]);
        return bounds;
    }

    /// <summary>A counted value in the metric's unit; rounded, so that a thousandth of 3 is 0.003.</summary>
    public double ToUnit(double counted) => Math.Round(counted * Scale, 6);
}

internal enum MetricKind
{
    /// <summary>Never goes back.</summary>
    Counter,

    /// <summary>Comes and goes; a sum over several is a sum.</summary>
    Level,
}

internal readonly record struct Label(string Key, string Value)
{
    /// <summary>A word of the program as it is written in metrics: UnknownPeer is unknown_peer.</summary>
    public static Label Of<T>(string key, T word)
        where T : struct, Enum
    {
        var text = new StringBuilder();
        foreach (char c in word.ToString())
            text.Append(char.IsUpper(c) && text.Length != 0 ? "_" : "").Append(char.ToLowerInvariant(c));
        return new Label(key, text.ToString());
    }
}

internal readonly record struct Sample(double Value, params Label[] Labels);

internal readonly record struct Distribution(HistogramSum Values, params Label[] Labels);
