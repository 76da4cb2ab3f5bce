using System.Text.Json;
using System.Text.Json.Serialization;
using Tunnel.Bench.Contenders;
using Tunnel.Bench.Loads;
using Tunnel.Ctl.Bench;

namespace Tunnel.Bench.Results;

/// <summary>A whole race as it is kept.</summary>
/// <param name="Format">The file's version.</param>
/// <param name="Started">When, in UTC.</param>
/// <param name="Commit">What was built; "unknown" outside of a repository.</param>
/// <param name="Host">The machine.</param>
/// <param name="Seconds">That each lap measured.</param>
/// <param name="Lanes">Every contender with every workload, over every cable.</param>
internal sealed record RaceResult(int Format, DateTime Started, string Commit, HostFacts Host, double Seconds, IReadOnlyList<LaneResult> Lanes)
{
    public const int CurrentFormat = 3;

    public string ToJson() => JsonSerializer.Serialize(this, RaceJson.Default.RaceResult);

    /// <exception cref="BenchException">It cannot be read, or is not a race.</exception>
    public static RaceResult Load(string path)
    {
        try
        {
            RaceResult? result = JsonSerializer.Deserialize(File.ReadAllText(path), RaceJson.Default.RaceResult);
            return result is { Format: CurrentFormat } ? result : throw new BenchException($"{path}: not a result of this version");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new BenchException($"{path}: {e.Message}");
        }
    }

    public IEnumerable<LaneResult> Over(string cable, RaceLoad load) => Lanes.Where(l => l.Cable == cable && l.Load == load.Name);

    /// <summary>A lane's median of a figure; null when there is no such lane, or nothing in it.</summary>
    public double? MedianOf(string cable, string contender, string load, RaceFigure figure) =>
        Lanes.FirstOrDefault(l => l.Cable == cable && l.Contender == contender && l.Load == load)?.MedianOf(figure);
}

/// <summary>One contender's laps with one workload over one cable.</summary>
internal sealed record LaneResult(string Cable, string Contender, ContenderKind Kind, string Load, List<Lap> Laps)
{
    /// <summary>One a lap that did not fail.</summary>
    public double[] ValuesOf(RaceFigure figure) => [.. Laps.Select(figure.Read).OfType<double>()];

    public double? MedianOf(RaceFigure figure) => ValuesOf(figure) is { Length: not 0 } values ? Statistics.Median(values) : null;
}

[JsonSourceGenerationOptions(
    WriteIndented = true,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectNullableAnnotations = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(RaceResult))]
internal sealed partial class RaceJson : JsonSerializerContext;
