using System.Globalization;
using System.Reflection;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace Tunnel.Perf;

/// <summary>Gigabytes of payload a second, on the one core that a benchmark runs on.</summary>
internal sealed class ThroughputColumn : IColumn
{
    public static readonly ThroughputColumn Instance = new();

    public string Id => nameof(ThroughputColumn);

    public string ColumnName => "GB/s";

    public string Legend => "payload, 10^9 bytes a second on one core";

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Custom;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public bool IsAvailable(Summary summary) => true;

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase) => GetValue(summary, benchmarkCase, SummaryStyle.Default);

    // Bytes a nanosecond are gigabytes a second.
    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) =>
        benchmarkCase.Descriptor.WorkloadMethod.GetCustomAttribute<MovesAttribute>() is { } moves
        && summary[benchmarkCase]?.ResultStatistics?.Mean is { } nanoseconds
            ? (moves.Bytes / nanoseconds).ToString("0.00", CultureInfo.InvariantCulture)
            : "";
}
