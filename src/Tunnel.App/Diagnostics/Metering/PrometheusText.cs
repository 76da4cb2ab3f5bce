using System.Globalization;
using System.Text;

namespace Tunnel.App.Diagnostics.Metering;

/// <summary>Metrics in Prometheus' text format 0.0.4.</summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static string Render(Reading reading, string version)
    {
        var text = new StringBuilder();
        AppendHead(text, "tunnel_build_info", "gauge", "What runs here.");
        AppendSample(text, "tunnel_build_info", [new("version", version), new("role", reading.End.Role)], 1);
        foreach (Metric metric in MetricCatalog.All)
        {
            if (metric is HistogramMetric histogram)
                AppendHistogram(text, histogram, reading);
            else
                AppendNumbers(text, (NumberMetric)metric, reading);
        }

        return text.ToString();
    }

    /// <summary>tunnel.link.io in By, counted, is tunnel_link_io_bytes_total.</summary>
    internal static string NameOf(Metric metric)
    {
        string unit = metric.Unit switch
        {
            "By" => "_bytes",
            "By/s" => "_bytes_per_second",
            "s" => "_seconds",
            _ => "",
        };
        return metric.Name.Replace('.', '_') + unit + (metric is NumberMetric { Kind: MetricKind.Counter } ? "_total" : "");
    }

    private static void AppendNumbers(StringBuilder text, NumberMetric metric, Reading reading)
    {
        Sample[] samples = [.. metric.Read(reading)];
        if (samples.Length == 0)
            return;
        string name = NameOf(metric);
        AppendHead(text, name, metric.Kind == MetricKind.Counter ? "counter" : "gauge", metric.Doc);
        foreach (Sample sample in samples)
            AppendSample(text, name, sample.Labels, sample.Value);
    }

    private static void AppendHistogram(StringBuilder text, HistogramMetric metric, Reading reading)
    {
        Distribution[] distributions = [.. metric.Read(reading)];
        if (distributions.Length == 0)
            return;
        string name = NameOf(metric);
        AppendHead(text, name, "histogram", metric.Doc);
        foreach (Distribution distribution in distributions)
            AppendDistribution(text, name, metric, distribution);
    }

    private static void AppendDistribution(StringBuilder text, string name, HistogramMetric metric, Distribution distribution)
    {
        double[] bounds = metric.GetBounds();
        long below = 0;
        for (int i = 0; i < bounds.Length; i++)
        {
            below += distribution.Values.Counts[i];
            AppendSample(text, name + "_bucket", [.. distribution.Labels, new("le", Number(bounds[i]))], below);
        }

        below += distribution.Values.Counts[^1];
        AppendSample(text, name + "_bucket", [.. distribution.Labels, new("le", "+Inf")], below);
        AppendSample(text, name + "_sum", distribution.Labels, distribution.Values.Sum * metric.Scale);
        AppendSample(text, name + "_count", distribution.Labels, below);
    }

    private static void AppendHead(StringBuilder text, string name, string type, string doc) =>
        text.Append($"# HELP {name} {doc.Replace("\\", "\\\\").Replace("\n", "\\n")}\n# TYPE {name} {type}\n");

    private static void AppendSample(StringBuilder text, string name, Label[] labels, double value)
    {
        text.Append(name);
        if (labels.Length != 0)
            text.Append('{').AppendJoin(',', labels.Select(l => $"{l.Key}=\"{Escape(l.Value)}\"")).Append('}');
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Escape(string value) => value.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n");

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
