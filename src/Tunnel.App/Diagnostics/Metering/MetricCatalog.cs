namespace Tunnel.App.Diagnostics.Metering;

/// <summary>Every metric there is, in the order in which it is shown.</summary>
internal static class MetricCatalog
{
    /// <summary>What the tunnel does.</summary>
    public static readonly IReadOnlyList<Metric> Tunnel = [.. LinkMetrics.All, .. SessionMetrics.All, .. StreamMetrics.All];

    /// <summary>What its process does besides.</summary>
    public static readonly IReadOnlyList<Metric> All = [.. Tunnel, .. ProcessMetrics.All];
}
