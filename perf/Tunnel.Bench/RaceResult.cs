using System.Text.Json;
using System.Text.Json.Serialization;
using Tunnel.Ctl.Bench;

namespace Tunnel.Bench;

/// <summary>A whole race as it is kept.</summary>
/// <param name="Format">The file's version.</param>
/// <param name="Started">When, in UTC.</param>
/// <param name="Commit">What was built; "unknown" outside of a repository.</param>
/// <param name="Host">The machine.</param>
/// <param name="Offloads">Whether the cable's segmentation offloads were on.</param>
/// <param name="Seconds">That each lap measured.</param>
/// <param name="Lanes">Every contender with every workload.</param>
internal sealed record RaceResult(
    int Format, DateTime Started, string Commit, HostFacts Host, bool Offloads, double Seconds, IReadOnlyList<Lane> Lanes)
{
    public const int CurrentFormat = 1;

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

    /// <summary>The values of a figure, one a lap that did not fail.</summary>
    public double[] ValuesOf(string contender, RaceLoad load, RaceFigure figure) =>
    [
        .. Lanes.Where(l => l.Contender == contender && l.Load == load.Name)
            .SelectMany(l => l.Laps)
            .Where(lap => lap.Result is not null)
            .Select(lap => figure.Read(lap.Result!))
            .OfType<double>(),
    ];
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(RaceResult))]
internal sealed partial class RaceJson : JsonSerializerContext;
