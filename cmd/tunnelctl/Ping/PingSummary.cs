using System.Text.Json.Serialization;

namespace Tunnel.Ctl.Ping;

/// <summary>The round trips of one level. Times are null where nothing came back.</summary>
internal sealed record PingSummary(PingLevel Level, int Sent, int Received,
    [property: JsonPropertyName("min_milliseconds")] double? Min,
    [property: JsonPropertyName("median_milliseconds")] double? Median,
    [property: JsonPropertyName("p95_milliseconds")] double? P95,
    [property: JsonPropertyName("max_milliseconds")] double? Max)
{
    /// <summary>Of those sent.</summary>
    public double LossPercent => Sent == 0 ? 0 : 100 * (1 - ((double)Received / Sent));

    /// <param name="level">What they went through.</param>
    /// <param name="trips">One each probe; null is lost.</param>
    public static PingSummary Of(PingLevel level, IReadOnlyList<TimeSpan?> trips)
    {
        double[] sorted = [.. trips.Where(t => t is not null).Select(t => t!.Value.TotalMilliseconds).Order()];
        return new PingSummary(
            level, trips.Count, sorted.Length, Rank(sorted, 0), Middle(sorted), Rank(sorted, 0.95), Rank(sorted, 1));
    }

    /// <summary>The nearest rank: a value that was measured.</summary>
    private static double? Rank(double[] sorted, double part) =>
        sorted.Length == 0 ? null : sorted[Math.Clamp((int)Math.Ceiling(part * sorted.Length) - 1, 0, sorted.Length - 1)];

    private static double? Middle(double[] sorted) =>
        sorted.Length == 0 ? null : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
}
