using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tunnel.Bench.Contenders;
using Tunnel.Bench.Loads;
using Tunnel.Ctl.Bench;

namespace Tunnel.Bench.Results;

/// <summary>
/// A race in little: each lane's figures, one number a lap, a line a lane. Small enough for version control, and enough to tell a change
/// from noise.
/// </summary>
/// <param name="Summary">The form's version.</param>
/// <param name="Started">When, in UTC.</param>
/// <param name="Commit">What was built.</param>
/// <param name="Host">The machine.</param>
/// <param name="Seconds">That each lap measured.</param>
/// <param name="Lanes">With their figures.</param>
internal sealed record RaceSummary(int Summary, DateTime Started, string Commit, HostFacts Host, double Seconds, IReadOnlyList<LaneSummary> Lanes)
{
    private const int CurrentForm = 1;

    /// <summary>Digits that are kept: far less than laps differ by.</summary>
    private const string Digits = "G4";

    public static RaceSummary Of(RaceResult race) => new(
        CurrentForm,
        race.Started,
        race.Commit,
        race.Host,
        race.Seconds,
        [.. from load in RaceLoad.All from lane in race.Lanes where lane.Load == load.Name select LaneSummary.Of(lane, load)]);

    /// <summary>From a summary, or from a whole race.</summary>
    /// <exception cref="BenchException">It is neither.</exception>
    public static RaceSummary Load(string path)
    {
        try
        {
            string text = File.ReadAllText(path);
            using var document = JsonDocument.Parse(text);
            if (!document.RootElement.TryGetProperty("summary", out _))
                return Of(RaceResult.Load(path));
            RaceSummary? summary = JsonSerializer.Deserialize(text, SummaryJson.Default.RaceSummary);
            return summary is { Summary: CurrentForm } ? summary : throw new BenchException($"{path}: not a summary of this version");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
        {
            throw new BenchException($"{path}: {e.Message}");
        }
    }

    public string ToJson()
    {
        string head = JsonSerializer.Serialize(this with { Lanes = [] }, SummaryJson.Default.RaceSummary);
        int lanes = head.LastIndexOf("[]", StringComparison.Ordinal);
        var text = new StringBuilder(head[..lanes]).Append("[\n");
        text.AppendJoin(",\n", Lanes.Select(l => JsonSerializer.Serialize(l, SummaryJson.Default.LaneSummary)));
        return text.Append("\n]").Append(head[(lanes + 2)..]).Append('\n').ToString();
    }

    public LaneSummary? Find(LaneSummary lane) => Lanes.FirstOrDefault(l => (l.Cable, l.Contender, l.Load) == (lane.Cable, lane.Contender, lane.Load));

    internal static double Round(double value) => double.Parse(value.ToString(Digits, CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}

/// <param name="Cable">Its name.</param>
/// <param name="Load">Its name.</param>
/// <param name="Contender">Its name.</param>
/// <param name="Kind">Its kind.</param>
/// <param name="Figures">By name; one number a lap.</param>
internal sealed record LaneSummary(string Cable, string Load, string Contender, ContenderKind Kind, IReadOnlyDictionary<string, double[]> Figures)
{
    public static LaneSummary Of(LaneResult lane, RaceLoad load) => new(
        lane.Cable,
        lane.Load,
        lane.Contender,
        lane.Kind,
        load.Figures
            .Select(f => (f.Name, Values: lane.ValuesOf(f)))
            .Where(f => f.Values.Length != 0)
            .ToDictionary(f => f.Name, f => f.Values.Select(RaceSummary.Round).ToArray()));

    public double[] ValuesOf(RaceFigure figure) => Figures.GetValueOrDefault(figure.Name, []);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(RaceSummary))]
internal sealed partial class SummaryJson : JsonSerializerContext;
